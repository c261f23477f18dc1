import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'

/** The shells of the base image are hidden behind a file that is no program: who needs one fails. */
const HIDDEN_SHELLS = ['/usr/bin/dash', '/usr/bin/bash'].map((target) => ({
  source: '/dev/null',
  target,
  mode: 'ro' as const,
}))

/**
 * As the chart runs it: nothing of the file system is writable, and root's privileges are out of reach. Ryuk, which
 * would remove containers of a killed test, is not started, because its image cannot be pulled everywhere.
 */
export class RestrictedContainer extends GenericContainer {
  constructor(image: string) {
    super(image)
    this.hostConfig.ReadonlyRootfs = true
    this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges').withAutoCleanup(false)
    this.withBindMounts([])
  }

  override withBindMounts(mounts: BindMount[]): this {
    return super.withBindMounts([...HIDDEN_SHELLS, ...mounts])
  }
}

type BindMount = Parameters<GenericContainer['withBindMounts']>[0][number]

async function client(of: StartedTestContainer) {
  const { container } = await getContainerRuntimeClient()
  return container.getById(of.getId())
}

/** What the engine knows of a container, which may have ended. */
export async function inspect(of: StartedTestContainer) {
  return (await client(of)).inspect()
}

/** Everything that a container printed so far. */
export async function printed(of: StartedTestContainer): Promise<string> {
  const log = await (await client(of)).logs({ stdout: true, stderr: true })
  return log.toString()
}

/** Sends SIGTERM, and SIGKILL after so long. The container stays, for {@link inspect}. */
export async function terminate(of: StartedTestContainer, timeoutMs: number): Promise<void> {
  await of.stop({ remove: false, timeout: timeoutMs })
}

export async function remove(of: StartedTestContainer): Promise<void> {
  await (await client(of)).remove({ v: true, force: true })
}

/** In bytes, with its base. */
export async function sizeOfImage(name: string): Promise<number> {
  const { container } = await getContainerRuntimeClient()
  const { Size } = await container.dockerode.getImage(name).inspect()
  return Size
}
