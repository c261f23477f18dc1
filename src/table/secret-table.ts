/**
 * Names a secret value: `namespace/secret/key`, or `session-key/N`. What is printed of a table holds names only.
 */
export type SecretId = string

/**
 * The secret values that a routing table refers to, kept apart from it so that the table can be printed, logged and
 * compared whole. Plain strings, because this crosses threads by structured clone.
 */
export type SecretTable = Readonly<Record<SecretId, string>>
