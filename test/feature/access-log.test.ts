import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startOstiaryProcess } from '../support/ostiary-file-process.ts'
import { RawClient } from '../support/raw-http.ts'

/** An Ingress without a backend that answers: what is written of requests needs none. */
function ingress(name: string, annotations: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations },
    spec: {
      rules: [
        {
          host: `${name}.example.com`,
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }],
          },
        },
      ],
    },
  })
}

async function manifests(...objects: readonly string[]): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ostiary-access-log-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(path.join(directory, 'all.yaml'), objects.join('\n---\n'))
  return directory
}

async function ask(port: number, host: string, target: string): Promise<number> {
  const client = await RawClient.open(port)
  client.write(`GET ${target} HTTP/1.1\r\nHost: ${host}.example.com\r\nConnection: close\r\n\r\n`)
  const { status } = await client.response()
  await client.closed()
  return status
}

function accessLines(log: string): Record<string, unknown>[] {
  return log
    .split('\n')
    .filter((line) => line.includes('"log":"access"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a request is a line of JSON on standard output, without its query; a route can be silent', async () => {
  const directory = await manifests(ingress('told'), ingress('silent', { 'ostiary.dev/access-log': 'false' }))
  const running = await startOstiaryProcess(directory)
  expect(await ask(running.port, 'silent', '/quiet')).toBe(503)
  expect(await ask(running.port, 'told', '/orders?code=secret')).toBe(503)
  const log = await running.logged('"path":"/orders"')
  expect(accessLines(log)).toMatchObject([
    {
      method: 'GET',
      host: 'told.example.com',
      path: '/orders',
      status: 503,
      ingress: 'told',
      client: '127.0.0.1',
    },
  ])
  expect(log).not.toContain('secret')
})

test('the last lines are written before the process ends', async () => {
  const running = await startOstiaryProcess(await manifests(ingress('told')))
  expect(await ask(running.port, 'told', '/last')).toBe(503)
  running.terminate()
  expect(await running.exited).toBe(0)
  expect(accessLines(await running.logged('"path":"/last"'))).toHaveLength(1)
})

test('switched off, only routes that ask for it are written', async () => {
  const directory = await manifests(ingress('told', { 'ostiary.dev/access-log': 'true' }), ingress('other'))
  const running = await startOstiaryProcess(directory, '--access-log', 'false')
  await ask(running.port, 'other', '/unseen')
  await ask(running.port, 'told', '/seen')
  const lines = accessLines(await running.logged('"path":"/seen"'))
  expect(lines.map(({ path: seen }) => seen)).toEqual(['/seen'])
})

test('nobody who reads standard output holds up requests or probes', async () => {
  const running = await startOstiaryProcess(await manifests(ingress('told')))
  running.output.pause()
  // Far more than a pipe and the reader's buffer hold: 600 lines of 1.4 kB.
  const target = `/${'a'.repeat(1000)}`
  for (let i = 0; i < 600; i += 1) expect(await ask(running.port, 'told', target)).toBe(503)
  expect(await running.isReady()).toBe(true)
  expect(await ask(running.port, 'told', '/last')).toBe(503)
  running.output.resume()
  expect(accessLines(await running.logged('"path":"/last"'))).toHaveLength(601)
})

test('a process that nobody reads ends all the same', async () => {
  const running = await startOstiaryProcess(await manifests(ingress('told')))
  running.output.pause()
  const target = `/${'a'.repeat(1000)}`
  for (let i = 0; i < 600; i += 1) expect(await ask(running.port, 'told', target)).toBe(503)
  running.terminate()
  expect(await running.exited).toBe(0)
})
