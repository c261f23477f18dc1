/** A value that is there already, or will be. Cache hits stay synchronous: a promise costs more than they do. */
export type MaybePromise<T> = T | Promise<T>

/** Goes on with the value, at once where it is there already. */
export function andThen<T, R>(value: MaybePromise<T>, goOn: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}
