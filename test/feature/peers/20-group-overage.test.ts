import { expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { ingress, oidcPlugin, service, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'

interface Problem {
  readonly message: string
  readonly reason: string
}

test('peers 20: groups that were left out for their number are named in the 403, and are not "no groups"', async () => {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const { issuer } = authorizationServer
  const spec = { issuer, authMethods: ['bearer'], audience: ['api://default'], displayErrors: true }
  const guard = (name: string, more: object, annotations: object = {}): object[] => [
    oidcPlugin(name, { ...spec, ...more }),
    ingress({ name, path: `/${name}`, annotations: { 'ostiary.dev/plugins': name, ...annotations } }),
  ]
  const ostiary = await startOstiary(
    yaml(
      ...service('echo', echo.port),
      ...guard('required', { groupsRequired: ['staff'] }),
      ...guard('allowed', { authenticatedGroupsClaim: ['groups'] }, { 'ostiary.dev/allow-groups': 'staff' }),
      ...guard('denied', { authenticatedGroupsClaim: ['groups'] }, { 'ostiary.dev/deny-groups': 'guests' }),
    ),
  )
  const ask = async (path: string, claims: object): Promise<string> => {
    const exp = Math.floor(Date.now() / 1000) + 600
    const all = { iss: issuer, aud: 'api://default', sub: 's', iat: exp - 600, exp, ...claims }
    const headers = { authorization: `Bearer ${await authorizationServer.sign(all)}` }
    const response = await fetch(ostiary.url + path, { headers })
    if (response.status === 200) return '200'
    const { reason, message } = (await response.json()) as Problem
    expect(message).toContain(`(${reason})`)
    return `${response.status} ${reason}`
  }
  const sources = { src1: { endpoint: 'https://graph.example.com/users/s/getMemberObjects' } }
  const overage = { _claim_names: { groups: 'src1' }, _claim_sources: sources }
  for (const path of ['/required', '/allowed', '/denied']) {
    expect([path, await ask(path, overage)]).toEqual([path, '403 group_overage'])
    expect([path, await ask(path, { ...overage, groups: ['staff'] })]).toEqual([path, '200'])
    expect([path, await ask(path, { _claim_names: { roles: 'src1' } })]).not.toContain('403 group_overage')
  }
  expect(await ask('/required', {})).toBe('403 missing_group')
  expect(await ask('/allowed', {})).toBe('403 group_denied')
})
