import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement } from '../support/requirements.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, oidcPlugin } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const ADDRESS = '192.0.2.10'
/** An issuer that answers nothing: these tests need no token. */
const GOOD = { issuer: 'https://issuer.invalid', authMethods: ['bearer'] }

/** A leader that was killed is replaced after its Lease has run out, which is 15 s. */
const LIVE = { timeout: 45_000, interval: 100 }

interface RawObject {
  readonly metadata: {
    readonly name: string
    readonly resourceVersion: string
    readonly generation?: number
    readonly managedFields?: readonly { readonly manager: string }[]
  }
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: unknown }
    readonly observedGeneration?: number
    readonly conditions?: readonly RawCondition[]
  }
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number }
}

interface RawCondition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly observedGeneration: number
  readonly lastTransitionTime: string
}

describe.skipIf(clusterRequirement())('status on a cluster', () => {
  let namespace: string
  let className: string
  const processes: OstiaryProcess[] = []

  const start = async (...args: string[]): Promise<OstiaryProcess> => {
    const flags = ['--namespace', namespace, '--watch-namespace', namespace, '--ingress-class', className]
    const started = new OstiaryProcess([...flags, '--publish-status-address', ADDRESS, ...args])
    processes.push(started)
    await started.ready()
    return started
  }
  const inNamespace = (...args: string[]) => kubectl(['--namespace', namespace, ...args])
  const get = async (kind: string, name: string) =>
    (await getJson([kind, name, '--namespace', namespace, '--show-managed-fields'])) as RawObject
  const addresses = async (name: string) => (await get('ingress', name)).status?.loadBalancer?.ingress
  const hasAddress = (name: string) => expect.poll(() => addresses(name), LIVE).toEqual([{ ip: ADDRESS }])
  const conditions = async (kind: string, name: string) => {
    const { status } = await get(kind, name)
    return Object.fromEntries((status?.conditions ?? []).map((each) => [each.type, each]))
  }
  const summary = async (kind: string, name: string) =>
    Object.values(await conditions(kind, name))
      .map(({ type, status, reason }) => `${type}=${status} ${reason}`)
      .toSorted()
  const waitFor = (condition: string, object: string) =>
    inNamespace('wait', `--for=condition=${condition}`, object, '--timeout=45s')
  const holder = async () => (await get('lease', 'ostiary-leader')).spec.holderIdentity

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-status')
    className = namespace
    await apply(
      namespace,
      ingressClass(className, 'ostiary.dev/ingress-controller'),
      ingressClass(`${className}-foreign`, 'example.com/another-controller'),
    )
    await start()
  })

  afterAll(async () => {
    for (const each of processes) each.kill()
    if (namespace === undefined) return
    await kubectl(['delete', 'ingressclass', className, `${className}-foreign`, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  test('a plugin says whether it is accepted, resolved and programmed, and kubectl can wait for it', async () => {
    await apply(
      namespace,
      oidcPlugin('good', GOOD),
      oidcPlugin('bad', { ...GOOD, clientId: 'shop', clientSecretRef: { name: 'nowhere' } }),
    )
    await waitFor('Accepted', 'oidcplugin/good')
    await waitFor('Programmed', 'oidcplugin/good')
    await waitFor('ResolvedRefs=False', 'oidcplugin/bad')
    expect(await summary('oidcplugin', 'bad')).toEqual(
      expect.arrayContaining([
        'Accepted=True Accepted',
        'Programmed=False SecretNotFound',
        'ResolvedRefs=False SecretNotFound',
      ]),
    )
    expect(await inNamespace('get', 'oidcplugin', 'good')).toMatch(/good .*True +True +Programmed/)
  })

  test('a consumer that shares its name is told so, and the time moves only when the status flips', async () => {
    const consumer = (name: string, spec: object): object => ({
      apiVersion: 'ostiary.dev/v1alpha1',
      kind: 'Consumer',
      metadata: { name },
      spec,
    })
    await apply(namespace, consumer('one', { username: 'ann' }))
    await waitFor('Programmed', 'consumer/one')
    const before = await conditions('consumer', 'one')
    await apply(namespace, consumer('one', { username: 'ann', groups: ['buyers'] }))
    await expect.poll(async () => (await get('consumer', 'one')).status?.observedGeneration, LIVE).toBe(2)
    expect((await conditions('consumer', 'one'))['Accepted']).toEqual({
      ...before['Accepted'],
      observedGeneration: 2,
    })
    await apply(namespace, consumer('two', { username: 'ann' }))
    await waitFor('Accepted=False', 'consumer/one')
    expect(await summary('consumer', 'two')).toEqual([
      'Accepted=False Conflicted',
      'Programmed=False Conflicted',
    ])
    await inNamespace('delete', 'consumer', 'one', 'two')
  })

  test('an Ingress of ours gets its address; one of a foreign class is never touched', async () => {
    await apply(
      namespace,
      ingressFor('foreign', { className: `${className}-foreign`, host: 'foreign.example.test' }),
    )
    await apply(namespace, ingressFor('ours', { className, host: 'ours.example.test' }))
    await hasAddress('ours')
    const foreign = await get('ingress', 'foreign')
    expect(foreign.status).toEqual({ loadBalancer: {} })
    expect(foreign.metadata.managedFields?.map(({ manager }) => manager)).not.toContain(
      expect.stringContaining('ostiary'),
    )
    expect(await inNamespace('get', 'events')).not.toContain('ingress/foreign')
  })

  test('an Ingress that is no longer ours loses our address, but not one that its new controller wrote', async () => {
    const setClass = (name: string, ingressClassName: string) =>
      inNamespace(
        'patch',
        'ingress',
        name,
        '--type=merge',
        '-p',
        JSON.stringify({ spec: { ingressClassName } }),
      )
    await apply(
      namespace,
      ingressFor('leaving', { className, host: 'leaving.example.test' }),
      ingressFor('taken', { className, host: 'taken.example.test' }),
    )
    await hasAddress('leaving')
    await hasAddress('taken')
    const theirs = { status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } } }
    await setClass('taken', `${className}-foreign`)
    await inNamespace(
      'patch',
      'ingress',
      'taken',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify(theirs),
    )
    await setClass('leaving', `${className}-foreign`)
    await expect.poll(() => addresses('leaving'), LIVE).toBeUndefined()
    expect(await addresses('taken')).toEqual([{ ip: '198.51.100.7' }])
    const left = await get('ingress', 'leaving')
    expect(left.metadata.managedFields?.map(({ manager }) => manager).join()).not.toContain('ostiary')
  })

  test('what is right is not written again by a later compile', async () => {
    await hasAddress('ours')
    const versions = async () =>
      Promise.all(
        [
          ['oidcplugin', 'good'],
          ['oidcplugin', 'bad'],
          ['ingress', 'ours'],
        ].map(async ([kind = '', name = '']) => (await get(kind, name)).metadata.resourceVersion),
      )
    const before = await versions()
    await apply(namespace, ingressFor('another', { className, host: 'another.example.test' }))
    // Conditions are written before addresses, so that the pass of this compile has looked at all of the above.
    await hasAddress('another')
    expect(await versions()).toEqual(before)
  })

  test('what a person must know is an Event of the object', async () => {
    const named = ['--field-selector', 'regarding.name=puzzled']
    const ingress = ingressFor('puzzled', { className, host: 'puzzled.example.test' })
    const annotated = { metadata: { name: 'puzzled', annotations: { 'ostiary.dev/plugin': 'good' } } }
    await apply(namespace, { ...ingress, ...annotated })
    await expect
      .poll(() => inNamespace('get', 'events.events.k8s.io', ...named, '-o', 'name'), LIVE)
      .toContain('puzzled')
    const text = await inNamespace('describe', 'ingress', 'puzzled')
    expect(text).toMatch(/Warning +UnknownAnnotation .*ostiary.dev\/ingress-controller .*ostiary.dev\/plugin/)
  })

  test('of two processes one leads, and when it is killed the other takes over', async () => {
    const first = await holder()
    expect(first).toMatch(/_[0-9a-f]{16}$/)
    await start()
    expect(await holder()).toBe(first)
    processes[0]!.kill()
    await expect.poll(holder, LIVE).not.toBe(first)
    await apply(namespace, ingressFor('heir', { className, host: 'heir.example.test' }))
    await hasAddress('heir')
    expect((await get('lease', 'ostiary-leader')).spec.leaseTransitions).toBe(1)
  })

  test('a leader that is told to stop hands over at once', async () => {
    const second = await holder()
    await start('--update-status-on-shutdown')
    expect(await processes[1]!.stop()).toBe(0)
    await expect.poll(holder, { timeout: 12_000, interval: 100 }).toMatch(/_[0-9a-f]{16}$/)
    expect(await holder()).not.toBe(second)
    await hasAddress('heir')
  })

  test('the last one takes the addresses away when it was asked to', async () => {
    await hasAddress('ours')
    const last = processes[2]!
    expect(await last.stop()).toBe(0)
    expect(await addresses('ours')).toBeUndefined()
    expect(await holder()).toBeUndefined()
    // It waits for heirs before it takes them away, but requests in flight are not kept waiting for that.
    expect(last.log).toContain('draining')
    expect(last.log.indexOf('draining')).toBeLessThan(last.log.lastIndexOf('leading: this instance'))
  })
})
