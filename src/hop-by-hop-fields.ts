/**
 * Header fields that end at each hop, in lower case: what a message that goes on has none of, and nobody may set (RFC
 * 9110 §7.6.1 and §11.7, RFC 9112 §6–7). `expect` is here because node:http has answered it by the time a request is
 * forwarded.
 */
export const HOP_BY_HOP_FIELDS: readonly string[] = [
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
