import type { MessagePort } from 'node:worker_threads'
import { currentTrace } from '../../trace-context.ts'
import type { Answer, AuthorizationServerClient } from './authorization-server-client.ts'
import { ACTS, type BrokerQuestion, type BrokerReply } from './broker-message.ts'
import { unavailable } from './unavailable.ts'

/**
 * Answers one thread's questions with the client that speaks to authorization servers, until the port closes. Call it
 * once per thread; what threads share, the client shares.
 *
 * @param port The main thread's end; the other goes to `createBrokerClient`. The caller closes it.
 */
export function serveBroker(port: MessagePort, client: AuthorizationServerClient): void {
  port.on('message', (question: BrokerQuestion) => {
    const { trace } = question
    const asked = trace === undefined ? ask(client, question) : currentTrace.run(trace, ask, client, question)
    void asked.then((answer) => reply(port, { id: question.id, answer }))
  })
}

async function ask(
  client: AuthorizationServerClient,
  { act, args }: BrokerQuestion,
): Promise<Answer<unknown>> {
  if (!ACTS.includes(act)) return unavailable('the broker was asked what it does not know')
  try {
    const method = client[act] as (...args: unknown[]) => Promise<Answer<unknown>>
    return await method.apply(client, [...args])
  } catch {
    return unavailable('the broker failed unexpectedly')
  }
}

function reply(port: MessagePort, message: BrokerReply): void {
  try {
    port.postMessage(message)
  } catch {
    // What cannot be cloned must not leave the thread waiting.
    reply(port, { id: message.id, answer: unavailable('the answer cannot cross threads') })
  }
}
