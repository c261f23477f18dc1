import { startAuthorizationServer } from './authorization-server/authorization-server.ts'
import { DEMO_CLIENTS, type ClientRegistration } from './authorization-server/registration.ts'
import { demoManifests } from './demo-manifests.ts'
import { DemoError, readDemoSettings } from './demo-settings.ts'
import { startEcho } from './echo-upstream.ts'
import { OstiaryProcess } from './ostiary-process.ts'
import { whatToTry } from './what-to-try.ts'

/** `npm run demo`: an authorization server, an upstream and Ostiary on the manifests here, until Ctrl-C. */
async function demo(args: readonly string[]): Promise<void> {
  const stopped = stopSignal()
  const settings = await readDemoSettings(args)
  await using cleanup = new AsyncDisposableStack()
  const authorizationServer = await startAuthorizationServer({
    port: settings.authorizationServerPort,
    clients: DEMO_CLIENTS.map((client) => onPort(client, settings.httpPort)),
  })
  cleanup.defer(() => authorizationServer.close())
  const echo = await startEcho({
    port: settings.echoPort,
    namespace: 'default',
    service: 'echo',
    pod: 'echo-1',
  })
  cleanup.defer(() => echo.close())
  const manifests = await demoManifests(settings)
  cleanup.defer(() => manifests.remove())
  const ostiary = new OstiaryProcess(settings, manifests.directory)
  cleanup.defer(() => ostiary.stop())

  const isReady = await Promise.race([ostiary.ready(settings.adminPort).then(() => true), stopped])
  if (isReady !== true) return
  console.log(whatToTry(settings, manifests.directory))
  const exit = await Promise.race([ostiary.exited, stopped])
  if (exit !== undefined) throw new DemoError(`Ostiary ended (${exit}); its log above says why.`)
}

/** The clients are registered with addresses on port 8080; the demo may be elsewhere. */
function onPort(client: ClientRegistration, httpPort: number): ClientRegistration {
  const move = (address: string): string => address.replace(':8080/', `:${httpPort}/`)
  const { redirectUris, postLogoutRedirectUris } = client
  return {
    ...client,
    ...(redirectUris && { redirectUris: redirectUris.map(move) }),
    ...(postLogoutRedirectUris && { postLogoutRedirectUris: postLogoutRedirectUris.map(move) }),
  }
}

async function stopSignal(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => resolve(undefined))
  return promise
}

try {
  await demo(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof DemoError ? error.message : error)
  process.exitCode = 1
}
