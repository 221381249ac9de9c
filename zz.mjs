const t=process.cpuUsage(); await import(process.argv[2]); const c=process.cpuUsage(t); console.log(((c.user+c.system)/1000).toFixed(0));
