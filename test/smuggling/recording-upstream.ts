import type { Socket } from 'node:net'
import { tcpUpstream } from '../proxy/support.ts'

/** A request as its bytes came, read by a parser that forgives nothing. */
export interface RecordedRequest {
  /** Method, target and version. */
  readonly line: string
  /** In order, names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Without its framing. */
  readonly body: string
}

export interface RecordingUpstream {
  readonly port: number
  /** Whole requests, in the order of their ends. */
  readonly requests: RecordedRequest[]
  /** What two parsers could read differently, or is no request at all. */
  readonly faults: string[]
  /** Requests that began, whole or not. */
  begun: number
}

/** @param answer writes the response to a whole request; default: 200 with the target as its body. */
export async function recordingUpstream(
  answer: (socket: Socket, request: RecordedRequest) => void = answerTarget,
): Promise<RecordingUpstream> {
  const requests: RecordedRequest[] = []
  const faults: string[] = []
  const recording = { requests, faults, begun: 0 }
  const { port } = await tcpUpstream((socket) => {
    let received = ''
    let isInside = false
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      for (;;) {
        if (!isInside && received !== '') {
          isInside = true
          recording.begun += 1
        }
        const read = readRequest(received)
        if (read === undefined) return
        if (read.fault !== undefined) {
          faults.push(read.fault)
          socket.destroy()
          return
        }
        isInside = false
        received = received.slice(read.length)
        requests.push(read.request)
        answer(socket, read.request)
      }
    })
  })
  return Object.assign(recording, { port })
}

function answerTarget(socket: Socket, { line }: RecordedRequest): void {
  const target = line.split(' ')[1] ?? ''
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`)
}

type Reading =
  | { readonly fault: string }
  | { readonly fault?: undefined; readonly request: RecordedRequest; readonly length: number }

// oxlint-disable-next-line no-control-regex -- they are what must not be there
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\0-\x08\x0a-\x1f\x7f]*?)[ \t]*$/

/** `undefined`: more is to come. */
function readRequest(bytes: string): Reading | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [line = '', ...lines] = bytes.slice(0, end).split('\r\n')
  if (!/^[A-Z]+ \/[!-~]* HTTP\/1\.1$/.test(line)) return { fault: `request line: ${JSON.stringify(line)}` }
  const fields: [string, string][] = []
  for (const each of lines) {
    const [, name, value = ''] = FIELD.exec(each) ?? []
    if (name === undefined) return { fault: `field: ${JSON.stringify(each)}` }
    fields.push([name.toLowerCase(), value])
  }
  const fault = faultOfFields(fields)
  if (fault !== undefined) return { fault }
  const body = readBody(bytes.slice(end + 4), fields)
  if (body === undefined || 'fault' in body) return body
  return { request: { line, fields, body: body.text }, length: end + 4 + body.length }
}

/** Fields that decide where a message ends, or for whom it is, are there once at most. */
function faultOfFields(fields: readonly (readonly [string, string])[]): string | undefined {
  const values = (name: string) => fields.filter(([each]) => each === name).map(([, value]) => value)
  const lengths = values('content-length')
  const codings = values('transfer-encoding')
  if (values('host').length !== 1) return `${values('host').length} Host fields`
  if (lengths.length + codings.length > 1) return `framing: ${[...lengths, ...codings].join(' and ')}`
  if (codings.length === 1 && codings[0] !== 'chunked') return `coding: ${codings[0]}`
  if (lengths.length === 1 && !/^\d{1,15}$/.test(lengths[0] ?? '')) return `length: ${lengths[0]}`
  return undefined
}

type Body = { readonly text: string; readonly length: number } | { readonly fault: string }

function readBody(rest: string, fields: readonly (readonly [string, string])[]): Body | undefined {
  const field = (name: string) => fields.find(([each]) => each === name)?.[1]
  if (field('transfer-encoding') !== undefined) return readChunks(rest)
  const length = Number(field('content-length') ?? 0)
  return rest.length < length ? undefined : { text: rest.slice(0, length), length }
}

/** Neither extensions nor trailers. */
function readChunks(rest: string): Body | undefined {
  let text = ''
  let at = 0
  for (;;) {
    const line = rest.indexOf('\r\n', at)
    if (line === -1) return undefined
    const digits = rest.slice(at, line)
    if (!/^[0-9a-f]{1,8}$/i.test(digits)) return { fault: `chunk: ${JSON.stringify(digits)}` }
    const size = Number.parseInt(digits, 16)
    const end = line + 2 + size
    if (rest.length < end + 2) return undefined
    if (rest.slice(end, end + 2) !== '\r\n') return { fault: 'a chunk, or the last of them, without its end' }
    text += rest.slice(line + 2, end)
    at = end + 2
    if (size === 0) return { text, length: at }
  }
}
