/** A worker entry that ends its thread as it is loaded. */
process.exit(5);
