import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OstiaryError } from '../../errors.ts'
import type { RequestWords } from '../../explain/question.ts'
import { FormGuard } from './form-guard.ts'
import { optional, sendPage, type PageContext } from './page-routes.ts'
import { explainPage, type ExplainAnswer, type ExplainForm } from './pages/explain-page.ts'
import { messagePage } from './pages/message-page.ts'
import { textOf, type Query } from './read-query.ts'
import { FORM_REFERRER_POLICY } from './response-headers.ts'
import type { DataPlaneAddress } from './send/data-plane.ts'
import { createSend } from './send/send-request.ts'
import { readSentRequest } from './send/sent-request.ts'

/** What takes POST. */
export const EXPLAIN_FORMS: readonly string[] = ['/explain', '/explain/send']

/** Where requests that are sent from here come from. */
const OWN_ADDRESS = '127.0.0.1'

/** Requests that are sent and not answered yet: a person sends one after another. */
const SENT_AT_ONCE = 4
const TOO_MANY = `${SENT_AT_ONCE} requests are on their way already: wait until one is answered.`

type Answer = (reply: FastifyReply, form: ExplainForm, answer: ExplainAnswer) => FastifyReply

/** Explains a request that is typed, and sends it where that is asked for. */
export function addExplain(
  server: FastifyInstance,
  { assets, dataPlane, source }: PageContext & { readonly dataPlane: DataPlaneAddress },
): void {
  const guard = new FormGuard()
  const send = createSend(server, dataPlane)
  let sending = 0
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, text, done) => done(null, new URLSearchParams(String(text))),
  )
  const answer: Answer = (reply, form, given) =>
    sendPage(
      reply.code(given.problem === undefined ? 200 : 400).header('referrer-policy', FORM_REFERRER_POLICY),
      assets,
      explainPage(form, given, guard.token),
    )
  const explained = async (reply: FastifyReply, form: ExplainForm): Promise<FastifyReply> => {
    try {
      return answer(reply, form, { explanation: await source.explain(wordsOf(form)) })
    } catch (error) {
      return answer(reply, form, { problem: problemOf(error) })
    }
  }

  server.get('/explain', (request, reply) => {
    const form = formOf((name) => textOf(request.query as Query, name))
    return form.url === '' ? answer(reply, form, {}) : explained(reply, { ...form, headers: '' })
  })
  server.post('/explain', (request, reply) => {
    const form = readForm(request)
    const refusal = guard.refusal(request.headers, form)
    return refusal === undefined
      ? explained(
          reply,
          formOf((name) => form.get(name) ?? ''),
        )
      : sendPage(reply.code(403), assets, messagePage('Refused', refusal))
  })
  server.post('/explain/send', async (request, reply) => {
    const given = readForm(request)
    const refusal = guard.refusal(request.headers, given)
    if (refusal !== undefined) return sendPage(reply.code(403), assets, messagePage('Refused', refusal))
    const form = formOf((name) => given.get(name) ?? '')
    if (sending >= SENT_AT_ONCE) return answer(reply, form, { problem: TOO_MANY })
    sending += 1
    reply.raw.once('close', () => {
      sending -= 1
    })
    try {
      const words = { ...wordsOf(form), from: OWN_ADDRESS }
      const sent = readSentRequest(words)
      const explanation = await source.explain(words)
      send(reply, sent, (exchange) => {
        answer(reply, form, { explanation, exchange })
      })
      return reply
    } catch (error) {
      return answer(reply, form, { problem: problemOf(error) })
    }
  })
}

function readForm({ body }: FastifyRequest): URLSearchParams {
  return body instanceof URLSearchParams ? body : new URLSearchParams()
}

function formOf(valueOf: (name: string) => string): ExplainForm {
  const method = valueOf('method').trim()
  return {
    method: method === '' ? 'GET' : method,
    url: valueOf('url').trim(),
    headers: valueOf('headers'),
    from: valueOf('from').trim(),
  }
}

function wordsOf({ from, headers, method, url }: ExplainForm): RequestWords {
  const lines = headers
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return { method, url, headers: lines, ...optional('from', from === '' ? undefined : from) }
}

/** @throws whatever is no fault of what was typed */
function problemOf(error: unknown): string {
  if (error instanceof OstiaryError && error.code === 'ERR_SETTINGS_INVALID') {
    return error.message
      .replace(/^-H: /, 'Header fields: ')
      .replace(/^--from: /, 'From address: ')
      .replace('use -H Authorization', 'type an Authorization field')
  }
  throw error
}
