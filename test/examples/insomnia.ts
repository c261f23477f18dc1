import { parse } from 'yaml'
import * as z from 'zod'

/** The members of Insomnia's v5 collections that the example uses, as its importer judges them. */
const meta = (prefix: string) =>
  z.object({
    id: z.string().startsWith(prefix),
    isPrivate: z.boolean().optional(),
    sortKey: z.number().optional(),
    description: z.string().optional(),
  })

const parameter = z.strictObject({ name: z.string(), value: z.string() })

const request = z.strictObject({
  name: z.string().min(1),
  url: z.string().min(1),
  meta: meta('req_'),
  method: z.enum(['GET', 'POST']),
  headers: z.array(parameter).default([]),
  authentication: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('basic'),
      useISO88591: z.boolean(),
      disabled: z.literal(false),
      username: z.string(),
      password: z.string(),
    }),
    z.strictObject({ type: z.literal('bearer'), disabled: z.literal(false), token: z.string() }),
  ]),
  body: z
    .strictObject({ mimeType: z.literal('application/x-www-form-urlencoded'), params: z.array(parameter) })
    .optional(),
})

const collection = z.strictObject({
  type: z.literal('collection.insomnia.rest/5.0'),
  schema_version: z.literal('5.1'),
  name: z.string(),
  meta: meta('wrk_'),
  collection: z.array(request).min(1),
  cookieJar: z.strictObject({ name: z.string(), meta: meta('jar_') }),
  environments: z.strictObject({
    name: z.string(),
    meta: meta('env_'),
    data: z.record(z.string(), z.string()),
  }),
})

export type InsomniaCollection = z.output<typeof collection>
export type InsomniaRequest = InsomniaCollection['collection'][number]

/** A request as Insomnia would send it. */
export interface Rendered {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** @throws {z.ZodError} Where the file is no collection. */
export function readCollection(text: string): InsomniaCollection {
  return collection.parse(parse(text))
}

const RESPONSE_TAG =
  /^\{% response 'body', '(req_\w+)', 'b64::([A-Za-z0-9+/=]+)::46b', '(always|when-expired|never|no-history)', (\d+) %\}$/

/** The request that a value is taken from, and the member of its answer; `undefined` where it is no response tag. */
export function responseTag(
  value: string,
): { readonly requestId: string; readonly member: string } | undefined {
  const found = RESPONSE_TAG.exec(value)
  if (found === null) return undefined
  const jsonPath = Buffer.from(found[2] ?? '', 'base64').toString('utf8')
  const member = /^\$\.(\w+)$/.exec(jsonPath)?.[1]
  if (member === undefined) throw new Error(`the JSONPath ${jsonPath} is not of the form $.member`)
  return { requestId: found[1] ?? '', member }
}

/**
 * Renders a request: variables of the environment, and response tags by what earlier requests were answered.
 *
 * @param answers JSON bodies by request id.
 */
export function render(
  { url, method, headers, authentication, body }: InsomniaRequest,
  environment: Readonly<Record<string, string>>,
  answers: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): Rendered {
  const value = (text: string): string => {
    const tag = responseTag(text)
    if (tag !== undefined) return String(answers.get(tag.requestId)?.[tag.member])
    return text.replaceAll(/\{\{ _\.(\w+) \}\}/g, (_, name: string) => {
      const found = environment[name]
      if (found === undefined) throw new Error(`the environment has no ${name}`)
      return found
    })
  }
  const authorization =
    authentication.type === 'bearer'
      ? `Bearer ${value(authentication.token)}`
      : `Basic ${btoa(`${value(authentication.username)}:${value(authentication.password)}`)}`
  const form = body?.params.map(({ name, value: text }): [string, string] => [name, value(text)])
  return {
    url: value(url),
    method,
    headers: { ...Object.fromEntries(headers.map((each) => [each.name, each.value])), authorization },
    body: form && new URLSearchParams(form).toString(),
  }
}
