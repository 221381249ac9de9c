export declare const digestCases: Record<string, () => Promise<string>>;
