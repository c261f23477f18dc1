/** Enough that a change of one entry among ten thousand copies forty, and few enough that a copy of them costs nothing. */
const SHARDS = 256

type Shard<Value> = ReadonlyMap<string, Value>

const NO_ENTRIES: Shard<never> = new Map<string, never>()

/**
 * An immutable map by text. The next version of it shares all shards but those that its changes touch, so that a
 * version costs what changed, whether it is made or kept: a request may hold one for hours.
 */
export class ShardedMap<Value> {
  readonly size: number
  readonly #shards: readonly Shard<Value>[]

  private constructor(shards: readonly Shard<Value>[], size: number) {
    this.#shards = shards
    this.size = size
  }

  static empty<Value>(): ShardedMap<Value> {
    return new ShardedMap<Value>(
      Array.from({ length: SHARDS }, () => NO_ENTRIES),
      0,
    )
  }

  get(key: string): Value | undefined {
    return this.#shards[shardOf(key)]?.get(key)
  }

  *entries(): Generator<[string, Value], void, undefined> {
    for (const shard of this.#shards) yield* shard
  }

  /** A version to change, until it is sealed. */
  draft(): ShardedMapDraft<Value> {
    return new ShardedMapDraft(this.#shards, this.size, (shards, size) => new ShardedMap(shards, size))
  }
}

/** The next version of a map while it is made. */
export class ShardedMapDraft<Value> {
  readonly #shards: Shard<Value>[]
  readonly #own = new Map<number, Map<string, Value>>()
  readonly #seal: (shards: readonly Shard<Value>[], size: number) => ShardedMap<Value>
  #size: number

  constructor(
    shards: readonly Shard<Value>[],
    size: number,
    seal: (shards: readonly Shard<Value>[], size: number) => ShardedMap<Value>,
  ) {
    this.#shards = [...shards]
    this.#size = size
    this.#seal = seal
  }

  get(key: string): Value | undefined {
    return this.#shards[shardOf(key)]?.get(key)
  }

  set(key: string, value: Value): void {
    const shard = this.#ownShard(shardOf(key))
    if (!shard.has(key)) this.#size += 1
    shard.set(key, value)
  }

  delete(key: string): void {
    if (this.#ownShard(shardOf(key)).delete(key)) this.#size -= 1
  }

  /** The draft must not be changed after this. */
  seal(): ShardedMap<Value> {
    return this.#seal(this.#shards, this.#size)
  }

  #ownShard(index: number): Map<string, Value> {
    const known = this.#own.get(index)
    if (known !== undefined) return known
    const shard = new Map(this.#shards[index])
    this.#own.set(index, shard)
    this.#shards[index] = shard
    return shard
  }
}

/** The hash is of no concern to safety: keys that crowd one shard are still told apart there. */
function shardOf(key: string): number {
  let hash = key.length
  for (let index = 0; index < key.length; index += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0
  return (hash ^ (hash >>> 8)) & (SHARDS - 1)
}
