/** Adds up vitest's JSON reports, given as name=file, names the skipped tests, and ends with the counts alone on a line. */
import { existsSync, readFileSync } from 'node:fs';

const total = { passed: 0, failed: 0, skipped: 0 };
const skipped = new Set();
let complete = true;

for (const argument of process.argv.slice(2)) {
  const [name, file] = argument.split('=');
  if (!existsSync(file)) {
    console.log(`${name}: no report, the tests did not run to their end`);
    complete = false;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const tests = report.testResults.flatMap((suite) => suite.assertionResults);
  for (const test of tests) {
    if (test.status !== 'passed' && test.status !== 'failed') skipped.add(test.fullName);
  }
  const passed = report.numPassedTests;
  // A file that broke before its tests were known counts as one failure.
  const broken = report.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'),
  );
  for (const suite of broken) console.log(`${name}: broken file ${suite.name}: ${suite.message}`);
  const failed = report.numFailedTests + broken.length;
  const counts = { passed, failed, skipped: tests.length - passed - report.numFailedTests };
  for (const key of Object.keys(total)) total[key] += counts[key];
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  if (!report.success || failed > 0 || passed === 0) complete = false;
}

const data = process.env.HADAMARD_DATA;
if (skipped.size > 0) {
  const why = data
    ? `although HADAMARD_DATA is ${data}`
    : 'no data: neither HADAMARD_DATA nor ../shared/data is a folder';
  console.log(`Skipped (${why}):`);
  for (const name of skipped) console.log(`  ${name}`);
}
console.log('All runs added up:');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = complete ? 0 : 1;
