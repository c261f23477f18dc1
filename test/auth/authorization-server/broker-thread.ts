import { workerData, type MessagePort } from 'node:worker_threads'
import { createBrokerClient } from '../../../src/auth/authorization-server/broker-client.ts'
import type { ClientCredentialsGrant } from '../../../src/auth/authorization-server/authorization-server-client.ts'
import type { AuthorizationServer } from '../../../src/table/policy.ts'

/** What a test hands to this thread: it asks the broker, then posts its answers to `results`. */
export interface BrokerThreadData {
  readonly broker: MessagePort
  readonly results: MessagePort
  readonly server: AuthorizationServer
  readonly grant: ClientCredentialsGrant
  readonly times: number
}

const { broker, results, server, grant, times } = workerData as BrokerThreadData
const client = createBrokerClient(broker)
const answers = await Promise.all([
  client.metadata(server),
  client.keys(server),
  ...Array.from({ length: times }, () => client.clientCredentialsGrant(server, grant)),
])

results.postMessage(answers)
results.close()
