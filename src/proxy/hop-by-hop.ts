/** Names in a Connection field (RFC 9110 §7.6.1), lower case. */
export declare function connectionOptions(value: string): string[]
/** Names that end at this hop, in both directions; lower case. */
export declare function isHopByHop(lowerCaseName: string): boolean
