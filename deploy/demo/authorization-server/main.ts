import { parseArgs } from 'node:util'
import { errorCode } from '../listen-on-loopback.ts'
import { startAuthorizationServer } from './authorization-server.ts'

/** `node deploy/demo/authorization-server/main.ts --port 9000`: the authorization server alone, until Ctrl-C. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '9000' }, host: { type: 'string' } },
  })
  const port = Number(values.port)
  const server = await startAuthorizationServer({
    port,
    ...(values.host !== undefined && { host: values.host }),
  })
  console.log(`Authorization server: ${server.issuer}`)
  console.log(`Discovery: ${server.issuer}/.well-known/openid-configuration`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
}

try {
  await main()
} catch (error) {
  const reason = errorCode(error) === 'EADDRINUSE' ? 'the port is taken; choose another with --port' : error
  console.error('The authorization server did not start:', reason)
  process.exitCode = 1
}
