import { expect, test } from 'vitest'
import { answerJson, answerStatus, ScriptedApiServer } from '../../support/scripted-api-server.ts'
import { eventually, known, service, SERVICES, startReflector } from './setup.ts'

const PATH = SERVICES.path

function stamped(name: string, value: string, version: number): object {
  const object = service(name, value)
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
}

test('a cluster that was restored from a backup counts as it is now, though its versions are lower', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const before = [stamped('a', 'new', 101), stamped('gone', 'a.example.com', 102)]
  server.once('list', PATH, (_, response) =>
    answerJson(response, 200, { items: before, metadata: { resourceVersion: '102' } }),
  )
  const { reflector } = startReflector(server)
  await eventually(() => expect(server.watches).toHaveLength(1))
  expect(known(reflector)).toEqual(['a=new', 'gone=a.example.com'])

  // A version that it does not know yet is one to wait for, says the API server.
  for (let n = 0; n < 4; n += 1) {
    server.once('watch', PATH, (_, response) =>
      answerStatus(response, 504, 'Timeout', { 'retry-after': '1' }),
    )
  }
  server.once('list', PATH, (_, response) =>
    answerJson(response, 200, { items: [stamped('a', 'old', 7)], metadata: { resourceVersion: '9' } }),
  )
  server.watches[0]?.reset()
  await eventually(() => expect(known(reflector)).toEqual(['a=old']))
  await eventually(() => expect(server.watches[0]?.query['resourceVersion']).toBe('9'))
  server.watches[0]?.event('MODIFIED', stamped('a', 'later', 10))
  server.watches[0]?.event('ADDED', stamped('gone', 'again', 11))
  await eventually(() => expect(known(reflector)).toEqual(['a=later', 'gone=again']))
})
