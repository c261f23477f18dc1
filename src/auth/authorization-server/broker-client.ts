import type { MessagePort } from 'node:worker_threads'
import { currentTrace } from '../../trace-context.ts'
import type { Answer, AuthorizationServerClient } from './authorization-server-client.ts'
import type { Act, BrokerQuestion, BrokerReply } from './broker-message.ts'
import { unavailable } from './unavailable.ts'

/** More questions under way than this: the broker is stuck, and piling up helps nobody. */
const MAXIMUM_PENDING = 10_000

/**
 * The client of a proxy thread: asks the broker on the main thread. When the port closes, what is under way and
 * whatever comes later is answered `unavailable`. Keeps the thread alive only while an answer is awaited.
 */
export function createBrokerClient(port: MessagePort): AuthorizationServerClient {
  const questions = new Questions(port)
  return {
    metadata: (...args) => questions.ask('metadata', args),
    keys: (...args) => questions.ask('keys', args),
    clientCredentialsGrant: (...args) => questions.ask('clientCredentialsGrant', args),
    authorizationCodeGrant: (...args) => questions.ask('authorizationCodeGrant', args),
    refreshTokenGrant: (...args) => questions.ask('refreshTokenGrant', args),
    userInfo: (...args) => questions.ask('userInfo', args),
    introspect: (...args) => questions.ask('introspect', args),
    revoke: (...args) => questions.ask('revoke', args),
  }
}

class Questions {
  readonly #port: MessagePort
  readonly #pending = new Map<number, (answer: Answer<never>) => void>()
  #nextId = 1
  #closed = false

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (reply: BrokerReply) => this.#take(reply))
    port.on('messageerror', () => this.#answerAll('an answer of the broker cannot be read'))
    port.on('close', () => {
      this.#closed = true
      this.#answerAll('the broker is gone')
    })
    port.unref()
  }

  ask<T>(act: Act, args: readonly unknown[]): Promise<Answer<T>> {
    if (this.#closed) return Promise.resolve(unavailable('the broker is gone'))
    if (this.#pending.size >= MAXIMUM_PENDING) return Promise.resolve(unavailable('the broker is overloaded'))
    const trace = currentTrace.getStore()
    const question: BrokerQuestion = { id: this.#nextId, act, args, ...(trace !== undefined && { trace }) }
    this.#nextId += 1
    return new Promise((resolve) => {
      this.#pending.set(question.id, resolve)
      this.#port.ref()
      this.#post(question)
    })
  }

  #post(question: BrokerQuestion): void {
    try {
      this.#port.postMessage(question)
    } catch {
      this.#take({ id: question.id, answer: unavailable('the question cannot cross threads') })
    }
  }

  #take({ id, answer }: BrokerReply): void {
    const resolve = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#port.unref()
    resolve?.(answer as Answer<never>)
  }

  #answerAll(reason: string): void {
    for (const id of this.#pending.keys()) this.#take({ id, answer: unavailable(reason) })
  }
}
