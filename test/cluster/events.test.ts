import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement } from '../support/requirements.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, oidcPlugin, secret, serviceTo } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const LIVE = { timeout: 45_000, interval: 200 }
const LONG_AGO = '2020-01-01T00:00:00.000000Z'

interface RawEvent {
  readonly metadata: { readonly name: string }
  readonly regarding: { readonly kind: string; readonly name: string }
  readonly reason: string
  readonly note: string
  readonly type: string
  readonly reportingController: string
  readonly series?: { readonly count: number }
}

/** `kind/name reason`, and a part of what is said. */
const MINE = {
  'Ingress/unknown-annotation UnknownAnnotation': 'ostiary.dev/plugin',
  // Cut to what the API server takes.
  'Ingress/at-length PluginNotFound': '… Create the OIDCPlugin',
  'Ingress/younger PathConflict': 'older',
  'Ingress/refused PluginNotPermitted': 'allowedNamespaces',
  'Ingress/no-port PortNotFound': 'echo',
  'OIDCPlugin/no-secret SecretNotFound': 'nowhere',
  'OIDCPlugin/no-label SecretNotFound': 'kubectl label secret',
}
const THEIRS = { 'Ingress/stranger HostNotOwned': 'host' }

/** What a person must know is said once, by an Event of the object, and counted while it stays so. */
describe.skipIf(clusterRequirement())('Events on a cluster', () => {
  let mine: string
  let theirs: string
  let ostiary: OstiaryProcess

  const eventsOf = async (namespace: string): Promise<RawEvent[]> => {
    const { items } = (await getJson(['events.events.k8s.io', '-n', namespace])) as { items: RawEvent[] }
    // Of a plugin that no Ingress names, another installation of a shared cluster may have told first.
    return items.filter(({ reportingController }) => reportingController.startsWith('ostiary.dev/'))
  }
  const summary = (events: readonly RawEvent[]) =>
    events.map(({ regarding, reason }) => `${regarding.kind}/${regarding.name} ${reason}`).toSorted()
  const controller = () => `ostiary.dev/${mine}`
  const start = async (): Promise<OstiaryProcess> => {
    const started = new OstiaryProcess([
      `--namespace=${mine}`,
      `--watch-namespace=${mine},${theirs}`,
      `--controller-class=${controller()}`,
      '--publish-status-address=192.0.2.1',
    ])
    await started.ready()
    return started
  }
  /** An address is written by a pass that has seen everything before it. */
  const isPassed = async (name: string): Promise<void> => {
    await apply(mine, ingressFor(name, { className: mine, host: `${name}.events.test` }))
    const path = '-o=jsonpath={.status.loadBalancer.ingress[*].ip}'
    await expect.poll(() => kubectl(['-n', mine, 'get', 'ingress', name, path]), LIVE).toBe('192.0.2.1')
  }

  beforeAll(async () => {
    await installCrds()
    mine = await createNamespace('ostiary-events')
    theirs = await createNamespace('ostiary-events-other')
    const className = mine
    const bearer = { issuer: 'https://issuer.invalid', authMethods: ['bearer'], audience: ['shop'] }
    const withSecret = (name: string) => ({ ...bearer, clientId: 'shop', clientSecretRef: { name } })
    const unknown = { metadata: { name: 'unknown-annotation', annotations: { 'ostiary.dev/plugin': 'x' } } }
    await apply(theirs, oidcPlugin('private', bearer))
    await apply(
      mine,
      ingressClass(className, controller()),
      ...serviceTo('echo', '192.0.2.3', 80),
      secret('unlabelled', { clientSecret: 'a-secret-of-nobody' }, false),
      oidcPlugin('no-secret', withSecret('nowhere')),
      oidcPlugin('no-label', withSecret('unlabelled')),
      { ...ingressFor('unknown-annotation', { className, host: 'unknown.events.test' }), ...unknown },
      ingressFor('at-length', { className, host: 'long.events.test', plugins: 'a'.repeat(3000) }),
      ingressFor('older', { className: mine, host: 'shared.events.test' }),
      ingressFor('refused', { className, host: 'refused.events.test', plugins: `${theirs}/private` }),
      noPort(ingressFor('no-port', { className, host: 'no-port.events.test' })),
    )
    ostiary = await start()
  })

  afterAll(async () => {
    ostiary?.kill()
    if (mine === undefined) return
    await kubectl(['delete', 'ingressclass', mine, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', mine, theirs, '--wait=false', '--ignore-not-found'])
  })

  function noPort(ingress: object): object {
    return JSON.parse(JSON.stringify(ingress).replace('"name":"http"', '"name":"grpc"')) as object
  }

  /** Of Services without pods here nothing more is said than this test asks for. */
  const asked = (events: readonly RawEvent[], wanted: object) =>
    summary(events).filter((each) => Object.hasOwn(wanted, each))

  test('each thing that a person must know is one Event, with the place and the remedy', async () => {
    // Later than the above by more than the second that a timestamp has.
    await isPassed('started')
    await apply(mine, ingressFor('younger', { className: mine, host: 'shared.events.test' }))
    await apply(theirs, ingressFor('stranger', { className: mine, host: 'shared.events.test' }))
    await expect
      .poll(async () => asked(await eventsOf(mine), MINE), LIVE)
      .toEqual(Object.keys(MINE).toSorted())
    await expect.poll(async () => asked(await eventsOf(theirs), THEIRS), LIVE).toEqual(Object.keys(THEIRS))
    const events = [...(await eventsOf(mine)), ...(await eventsOf(theirs))]
    for (const [key, text] of Object.entries({ ...MINE, ...THEIRS })) {
      const event = events.find((each) => summary([each])[0] === key)
      expect(event?.note, key).toContain(text)
      expect(event?.type).toBe('Warning')
      expect(event).not.toHaveProperty('series')
    }
    expect(summary(events).filter((each) => /Conflict|HostNotOwned/.test(each))).toHaveLength(2)
    const text = await kubectl(['-n', mine, 'describe', 'oidcplugin', 'no-label'])
    expect(text).toMatch(/Warning +SecretNotFound .*kubectl label secret/)
  })

  test('compiles that find the same, and the next leader, tell nothing twice', async () => {
    const before = summary(await eventsOf(mine))
    await kubectl(['-n', mine, 'annotate', 'ingress', 'younger', 'example.com/touched=1'])
    await isPassed('again')
    expect(await ostiary.stop()).toBe(0)
    ostiary = await start()
    await kubectl(['-n', mine, 'annotate', 'ingress', 'younger', 'ostiary.dev/typo=1'])
    await expect
      .poll(async () => summary(await eventsOf(mine)), LIVE)
      .toContain('Ingress/younger UnknownAnnotation')
    const after = await eventsOf(mine)
    expect(summary(after).filter((each) => each !== 'Ingress/younger UnknownAnnotation')).toEqual(before)
    expect(after.filter(({ series }) => series !== undefined)).toEqual([])
  })

  test('what is still so after a while is counted in the same Event', async () => {
    const find = async () => (await eventsOf(mine)).find(({ reason }) => reason === 'PortNotFound')
    const name = (await find())?.metadata.name ?? ''
    const series = { count: 2, lastObservedTime: LONG_AGO }
    await kubectl([
      '-n',
      mine,
      'patch',
      'events.events.k8s.io',
      name,
      '--type=merge',
      '-p',
      JSON.stringify({ series }),
    ])
    expect(await ostiary.stop()).toBe(0)
    ostiary = await start()
    await expect.poll(async () => (await find())?.series?.count, LIVE).toBe(3)
    expect((await eventsOf(mine)).filter(({ reason }) => reason === 'PortNotFound')).toHaveLength(1)
    expect((await ostiary.probe('/metrics')).body).toMatch(/ostiary_events_total\{result="written"\} [1-9]/)
  })
})
