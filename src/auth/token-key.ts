/** Of a signature, 32 bytes: no two tokens that anybody accepted end alike. */
const KEY_CHARACTERS = 43

/**
 * The key under which a cache keeps what is known of a token: its end, since the whole would be copied, hashed and kept
 * once more for each look-up. Whoever finds something must compare the whole token: only the exact bytes are known.
 *
 * @param scope What the knowledge is for besides: the same token is judged anew elsewhere.
 */
export function tokenKey(scope: string, token: string): string {
  return `${scope} ${token.slice(-KEY_CHARACTERS)}`
}
