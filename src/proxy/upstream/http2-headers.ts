/**
 * A header list as HTTP/2 takes it: names in lower case (RFC 9113 §8.2), which also makes one of fields that differ in
 * case only, since node:http2 ends the whole session over two User-Agent fields. gRPC servers insist on `te: trailers`;
 * it says no more than that HTTP/2 has them.
 */
export function http2Headers(headers: readonly string[]): string[] {
  const lowerCase: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    if (name !== 'te') lowerCase.push(name, headers[i + 1] ?? '')
  }
  lowerCase.push('te', 'trailers')
  return lowerCase
}
