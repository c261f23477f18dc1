/**
 * Takes parameters out of an urlencoded query or body and leaves every other byte as it was. Names are compared
 * decoded.
 */
export declare function withoutParameters(encoded: string, names: readonly string[]): string
