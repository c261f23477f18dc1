export declare function foldHeaderName(name: string): string
export declare function isIdentityHeader(foldedName: string): boolean
