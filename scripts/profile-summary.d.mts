export function summarize(folder: string): string;
