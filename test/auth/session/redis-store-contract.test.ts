import { afterAll, beforeAll, describe } from 'vitest'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'
import { redisStores } from './redis-stores.ts'
import { describeSessionStore } from './store-contract.ts'
import { worldOf } from './store-world.ts'

describe.skipIf(redisRequirement())('Redis', () => {
  let redis: RedisProcess

  beforeAll(async () => {
    redis = await RedisProcess.start()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  describeSessionStore('Redis', (session = {}) => {
    const stores = redisStores(redis)
    return worldOf(stores.newStore, { ...session, redis: stores.server })
  })
})
