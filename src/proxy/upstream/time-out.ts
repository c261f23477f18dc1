/** The failure of a request that took longer than it may; `answerUpstreamFailure` makes 504 of it. */
export function timeOut(): Error {
  return Object.assign(new Error('the request took too long'), { code: 'ETIMEDOUT' })
}
