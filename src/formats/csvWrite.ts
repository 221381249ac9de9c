/** CSV and TSV out: a header, then a line a record, quoted where RFC 4180 asks for it. */
import { type Chunks, inPieces, numberText, type OutputBatch, type OutputColumns } from './output.js';

type Delimiter = ',' | '\t';

export async function* csvChunks({ columns, batches }: OutputColumns, delimiter: Delimiter): Chunks {
  const head = `${columns.map(({ name }) => headerField(name)).join(delimiter)}\n`;
  let isFirst = true;
  for await (const batch of batches) {
    // With the first batch, so that nothing is written where that cannot be made.
    if (isFirst) yield head;
    isFirst = false;
    yield* inPieces(linesOf(batch, delimiter));
  }
  if (isFirst) yield head;
}

function* linesOf(batch: OutputBatch, delimiter: Delimiter): Generator<string> {
  const length = batch[0]?.length ?? 0;
  for (let t = 0; t < length; t++) {
    let line = '';
    for (const values of batch) {
      const value = values[t] as string | number;
      if (values !== batch[0]) line += delimiter;
      if (typeof value === 'string') line += csvField(value, delimiter);
      else if (!Number.isNaN(value)) line += numberText(value);
    }
    yield `${line}\n`;
  }
}

/** Quoted where a delimiter, a quote, a line end or a space at its ends would be lost. */
export function csvField(text: string, delimiter = ','): string {
  const isPlain = text !== '' && !text.includes(delimiter) && !/["\r\n]|^\s|\s$/.test(text);
  return isPlain ? text : quoted(text);
}

/** A name of the first line, which shows what the delimiter is. */
function headerField(text: string): string {
  return text === '' || /[",;\t\r\n]|::|^\s|\s$/.test(text) ? quoted(text) : text;
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
