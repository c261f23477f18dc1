import { once } from 'node:events'
import { connect } from 'node:tls'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, oidcPlugin, serviceTo, tlsSecret } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const SOLVER = { 'acme.cert-manager.io/http01-solver': 'true' }
const CHALLENGE = '/.well-known/acme-challenge/token'

/**
 * What the flags about Ingresses change, each against the same objects of a cluster: the objects are there before any
 * process starts, so that the first table of each says it all.
 */
describe.skipIf(clusterRequirement())('the flags of ostiary run', () => {
  const address = hostAddress()
  let mine: string
  let theirs: string
  let echo: Echo
  /** Behind a name, which is all that an ExternalName may be. */
  let local: Echo
  let fallback: { readonly cert: string; readonly private: string }
  const processes: OstiaryProcess[] = []

  beforeAll(async () => {
    await installCrds()
    mine = await createNamespace('ostiary-flags')
    theirs = await createNamespace('ostiary-flags-other')
    echo = await startEcho({ port: 0, host: address })
    local = await startEcho({ port: 0 })
    fallback = await generate([{ name: 'commonName', value: 'fallback.flags.test' }], { keyType: 'ec' })
    await apply(mine, ...ownObjects(), tlsSecret('fallback', fallback.cert, fallback.private))
    // The later of two Ingresses that name a host: a timestamp has whole seconds, and then the name decides.
    await apply(theirs, ...serviceTo('echo', address, echo.port), ...otherObjects())
  })

  afterAll(async () => {
    for (const each of processes) each.kill()
    await echo?.close()
    await local?.close()
    if (mine === undefined) return
    await kubectl(['delete', 'ingressclass', mine, `${mine}-second`, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', mine, theirs, '--wait=false', '--ignore-not-found'])
  })

  function ownObjects(): object[] {
    const className = mine
    const external = {
      type: 'ExternalName',
      externalName: 'localhost',
      ports: [{ name: 'http', port: local.port }],
    }
    return [
      ingressClass(className, controller()),
      ingressClass(`${className}-second`, `${controller()}-second`),
      ...serviceTo('echo', address, echo.port),
      ...serviceTo('solver', address, echo.port).map((each) => labelled(each)),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'external' }, spec: external },
      oidcPlugin('guard', { issuer: 'https://issuer.invalid', authMethods: ['bearer'] }),
      ingressFor('plain', { className, host: 'plain.flags.test' }),
      ingressFor('guarded', { className, host: 'guarded.flags.test', plugins: 'guard' }),
      annotated(ingressFor('public', { className, host: 'public.flags.test' }), {
        'ostiary.dev/public': 'true',
      }),
      ingressFor('external', { className, host: 'external.flags.test', service: 'external' }),
      ingressFor('second', { className: `${className}-second`, host: 'second.flags.test' }),
      ingressFor('unknown', { className: `${className}-unknown`, host: 'unknown.flags.test' }),
      withoutClass(ingressFor('classless', { className, host: 'classless.flags.test' })),
      labelled(solver(ingressFor('solver', { className, host: 'plain.flags.test', service: 'solver' }))),
      onPath(ingressFor('a-shared', { className, host: 'shared.flags.test' }), '/mine'),
    ]
  }

  const otherObjects = (): object[] => [
    ingressFor('elsewhere', { className: mine, host: 'elsewhere.flags.test' }),
    onPath(ingressFor('b-shared', { className: mine, host: 'shared.flags.test' }), '/theirs'),
  ]

  const controller = () => `ostiary.dev/${mine}`

  async function started(...flags: string[]): Promise<OstiaryProcess> {
    const controllerFlag = flags.includes('--controller-class') ? [] : ['--controller-class', controller()]
    const process = new OstiaryProcess(['--workers', '1', '--namespace', mine, ...controllerFlag, ...flags])
    processes.push(process)
    await process.ready()
    return process
  }

  /** Status by host and path, in the order asked. */
  async function statuses(of: OstiaryProcess, ...urls: string[]): Promise<Record<string, number>> {
    const found: Record<string, number> = {}
    for (const url of urls) {
      const slash = url.indexOf('/')
      const [name, path] = slash === -1 ? [url, '/'] : [url.slice(0, slash), url.slice(slash)]
      found[url] = (await of.get(`${name}.flags.test`, path)).status
    }
    return found
  }

  test('without any, what is unclear is closed or not served', async () => {
    const ostiary = await started('--watch-namespace', `${mine},${theirs}`)
    const urls = [
      'plain',
      `plain${CHALLENGE}`,
      'guarded',
      'public',
      'elsewhere',
      'shared/mine',
      'shared/theirs',
    ]
    expect(await commonName(ostiary)).not.toBe('fallback.flags.test')
    expect(await statuses(ostiary, ...urls, 'external', 'classless', 'second', 'unknown')).toEqual({
      plain: 200,
      [`plain${CHALLENGE}`]: 200,
      guarded: 401,
      public: 200,
      elsewhere: 200,
      'shared/mine': 200,
      'shared/theirs': 404,
      external: 503,
      classless: 404,
      second: 404,
      unknown: 404,
    })
    expect(await ostiary.stop()).toBe(0)
  })

  test('--watch-namespace: nothing of other namespaces is served', async () => {
    const ostiary = await started('--watch-namespace', theirs)
    expect(await statuses(ostiary, 'plain', 'elsewhere', 'shared/mine', 'shared/theirs')).toEqual({
      plain: 404,
      elsewhere: 200,
      'shared/mine': 404,
      'shared/theirs': 200,
    })
    expect(await ostiary.stop()).toBe(0)
  })

  test('--controller-class: the classes of that controller are served, and no other', async () => {
    const flags = ['--watch-namespace', mine, '--controller-class', `${controller()}-second`]
    const ostiary = await started(...flags)
    expect(await statuses(ostiary, 'plain', 'second', 'unknown')).toEqual({
      plain: 404,
      second: 200,
      unknown: 404,
    })
    expect(await ostiary.stop()).toBe(0)
  })

  test('--ingress-class: the class is matched by its name, where IngressClasses cannot be read', async () => {
    const flags = [
      '--watch-namespace',
      mine,
      '--without-cluster-rights',
      '--ingress-class',
      `${mine}-unknown`,
    ]
    const ostiary = await started(...flags)
    expect(await statuses(ostiary, 'plain', 'second', 'unknown')).toEqual({
      plain: 404,
      second: 404,
      unknown: 200,
    })
    expect(await ostiary.stop()).toBe(0)
  })

  test('--watch-ingress-without-class, --allow-shared-hosts, --allow-external-name: each opens its own', async () => {
    const flags = ['--watch-ingress-without-class', '--allow-shared-hosts', '--allow-external-name']
    const ostiary = await started('--watch-namespace', `${mine},${theirs}`, ...flags)
    expect(await statuses(ostiary, 'classless', 'shared/mine', 'shared/theirs', 'external')).toEqual({
      classless: 200,
      'shared/mine': 200,
      'shared/theirs': 200,
      external: 200,
    })
    expect(await ostiary.stop()).toBe(0)
  })

  test('--default-ssl-certificate: who asks for a name that has none gets it', async () => {
    const withFlag = await started('--watch-namespace', mine, '--default-ssl-certificate', `${mine}/fallback`)
    expect(await commonName(withFlag)).toBe('fallback.flags.test')
    expect(await withFlag.stop()).toBe(0)
  })

  test('--require-plugin: what says neither is closed, but for challenges', async () => {
    const ostiary = await started('--watch-namespace', mine, '--require-plugin')
    expect(await statuses(ostiary, 'plain', `plain${CHALLENGE}`, 'guarded', 'public')).toEqual({
      plain: 503,
      [`plain${CHALLENGE}`]: 200,
      guarded: 401,
      public: 200,
    })
    expect(await ostiary.stop()).toBe(0)
  })

  test('--default-plugins: what says neither is guarded, but for challenges', async () => {
    const ostiary = await started('--watch-namespace', mine, '--default-plugins', `${mine}/guard`)
    expect(await statuses(ostiary, 'plain', `plain${CHALLENGE}`, 'guarded', 'public')).toEqual({
      plain: 401,
      [`plain${CHALLENGE}`]: 200,
      guarded: 401,
      public: 200,
    })
    expect(await ostiary.stop()).toBe(0)
  })

  test('--default-plugins: one that is not there closes', async () => {
    const ostiary = await started('--watch-namespace', mine, '--default-plugins', `${mine}/missing`)
    expect(await statuses(ostiary, 'plain', 'public')).toEqual({ plain: 503, public: 200 })
    expect(await ostiary.stop()).toBe(0)
  })
})

/** Of the certificate for a name that no Ingress has. */
async function commonName(of: OstiaryProcess): Promise<string | string[] | undefined> {
  const { https: port } = await of.ports()
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'nobody.flags.test',
    rejectUnauthorized: false,
  })
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

interface Raw {
  readonly metadata: { readonly labels?: object; readonly annotations?: object }
}

interface RawIngress extends Raw {
  readonly spec: { readonly ingressClassName?: string; readonly rules: readonly [RawRule] }
}

interface RawRule {
  readonly host: string
  readonly http: { readonly paths: readonly [object] }
}

function labelled(object: object): object {
  const { metadata, ...rest } = object as Raw
  return { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, ...SOLVER } } }
}

function annotated(object: object, annotations: object): object {
  const { metadata, ...rest } = object as Raw
  return { ...rest, metadata: { ...metadata, annotations } }
}

function withoutClass(ingress: object): object {
  const { spec, ...rest } = ingress as RawIngress
  const { ingressClassName: _, ...others } = spec
  return { ...rest, spec: others }
}

/** Everything below one path, in place of all. */
function onPath(ingress: object, path: string, pathType = 'Prefix'): object {
  const { spec, ...rest } = ingress as RawIngress
  const [{ host, http }] = spec.rules
  const paths = [{ ...http.paths[0], path, pathType }]
  return { ...rest, spec: { ...spec, rules: [{ host, http: { paths } }] } }
}

/** As cert-manager writes it. */
function solver(ingress: object): object {
  return onPath(ingress, CHALLENGE, 'ImplementationSpecific')
}
