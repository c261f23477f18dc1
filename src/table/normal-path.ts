/**
 * The form of RFC 3986 §6.2.2 that paths are matched in: escapes of unreserved characters decoded, other escapes in
 * upper case, and characters that no URI may hold raw escaped as UTF-8. For request paths and manifests alike, so
 * that both sides compare equal. Dot segments and bad escapes are left as they are: callers refuse them.
 */
export declare function normalPath(path: string): string
