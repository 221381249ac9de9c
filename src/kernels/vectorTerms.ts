/** Linear combinations as the kernels take them; the order of the fields is the contract with assembly/vectors.ts. */
const termBytes = 16;

export function writeTerms(
  view: DataView,
  address: number,
  terms: readonly (readonly [vector: number, coefficient: number])[],
): void {
  terms.forEach(([vector, coefficient], i) => {
    view.setFloat64(address + i * termBytes, coefficient, true);
    view.setUint32(address + i * termBytes + 8, vector, true);
  });
}
