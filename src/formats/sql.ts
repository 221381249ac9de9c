/** Queries through DuckDB, where @duckdb/node-api is installed: it reads its own files, Parquet, CSV, JSON and what they are joined to. */
import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { HadamardError } from '../errors.js';
import type { ColumnBatch, ColumnSource } from './columnSource.js';
import { decimalOf, timeText } from './valueLabels.js';

type DuckDB = typeof import('@duckdb/node-api');

/** What messages call the query. */
export const queryName = 'The query of --sql';

/**
 * Runs one query in a database in memory and streams its result, the same for every number of cores.
 *
 * @throws HadamardError `invalid-option` for what DuckDB refuses, `not-found` where DuckDB is not installed.
 */
export async function openQuery(sql: string): Promise<ColumnSource> {
  const duckdb = await load();
  // One thread, so that sums of floats have the same last bits every time: their order depends on DuckDB's threads.
  const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '1' });
  const connection: DuckDBConnection = await instance.connect();
  const close = async () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    const statements = await refusals(() => connection.extractStatements(sql));
    const only = statements.count === 1 ? await refusals(() => statements.prepare(0)) : undefined;
    // A query that came with a config or a model must not write files or change a data base.
    if (only?.statementType !== duckdb.StatementType.SELECT) throw noQuery();
    const result = await refusals(() => only.stream());
    return { names: result.columnNames(), batches: (places) => chunks(duckdb, result, places), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function noQuery(): HadamardError {
  return new HadamardError({
    code: 'invalid-option',
    what: 'sql is not one query.',
    position: { option: 'sql' },
    rule: 'One select, or what else gives rows and changes nothing.',
    remedy: 'Give that alone.',
  });
}

async function* chunks(duckdb: DuckDB, result: DuckDBResult, places: readonly number[]): AsyncGenerator<ColumnBatch> {
  for (;;) {
    const chunk = await refusals(() => result.fetchChunk());
    if (chunk === null || chunk.rowCount === 0) return;
    yield {
      length: chunk.rowCount,
      columns: places.map((place) => chunk.getColumnValues(place).map((value) => plain(duckdb, value))),
    };
  }
}

/** Dates and times as text, decimals as numbers where these tell them apart; what is left as an object is refused as a label or value. */
function plain(duckdb: DuckDB, value: DuckDBValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof duckdb.DuckDBDecimalValue) return decimalOf(value.value, value.scale);
  if (value instanceof duckdb.DuckDBDateValue) return timeText(BigInt(value.days) * 86_400n, 1n);
  if (value instanceof duckdb.DuckDBTimestampValue || value instanceof duckdb.DuckDBTimestampTZValue)
    return timeText(value.micros, 1_000_000n);
  if (value instanceof duckdb.DuckDBTimestampSecondsValue) return timeText(value.seconds, 1n);
  if (value instanceof duckdb.DuckDBTimestampMillisecondsValue) return timeText(value.millis, 1000n);
  if (value instanceof duckdb.DuckDBTimestampNanosecondsValue) return timeText(value.nanos, 1_000_000_000n);
  if (value instanceof duckdb.DuckDBUUIDValue) return value.toString();
  return value;
}

async function load(): Promise<DuckDB> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new HadamardError(
      {
        code: 'not-found',
        what: `DuckDB cannot be loaded: ${(error as Error).message.split('\n')[0]}.`,
        position: { option: 'sql' },
        rule: '--sql runs in DuckDB, which is not installed with hadamard.',
        remedy: 'npm install @duckdb/node-api',
      },
      { cause: error },
    );
  }
}

async function refusals<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new HadamardError(
      {
        code: 'invalid-option',
        what: `DuckDB refuses the query: ${(error as Error).message.split('\n')[0]}.`,
        position: { option: 'sql' },
        rule: '--sql is one query whose columns are row, column, value (and weight). Relative paths in it start at the working directory.',
        remedy: 'Correct it: duckdb -c "…" runs it by itself.',
      },
      { cause: error },
    );
  }
}
