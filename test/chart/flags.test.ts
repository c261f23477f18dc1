import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { readSettings } from '../../src/settings/read-settings.ts'
import { runOptions } from '../../src/settings/run-options.ts'
import { cases, GOLDEN, objectsIn, podOf } from './render.ts'

/**
 * What nobody sets in a cluster, or only with volumes or containers of his own: `extraArgs` takes them. A new flag gets a
 * value in the chart and a line in the case `flags`, or a line here.
 */
const WITHOUT_VALUE: readonly string[] = [
  '--manifests',
  '--kubeconfig',
  '--namespace',
  '--bind-address',
  '--admin-address',
  '--session-key-file',
]

interface Container {
  readonly name: string
  readonly args: readonly string[]
}

/** As the kubelet passes them. */
function argsOf(name: string): string[] {
  const { spec } = podOf(objectsIn(readFileSync(path.join(GOLDEN, name, 'rendered.yaml'), 'utf8')))
  const container = (spec['containers'] as readonly Container[]).find((each) => each.name === 'ostiary')
  return (container?.args ?? []).map((each) => each.replaceAll('$(POD_NAMESPACE)', 'ostiary-system'))
}

describe('the flags that the chart sets', () => {
  test.each(cases)('are taken in %s', (name) => {
    const [command, ...flags] = argsOf(name)
    expect(command).toBe('run')
    const program = new Command().exitOverride().allowExcessArguments(false)
    for (const option of runOptions()) program.addOption(option)
    const settings = readSettings(program.parse(flags, { from: 'user' }).opts())
    expect(settings.leaderElect).toBe(name !== 'flags')
  })

  test('are all that there are, but for those that a cluster has no use for', () => {
    const set = new Set(cases.flatMap((name) => argsOf(name)).map((each) => each.split('=')[0]))
    const missing = runOptions()
      .map(({ long }) => long ?? '')
      .filter((flag) => !set.has(flag) && !WITHOUT_VALUE.includes(flag))
    expect(missing).toEqual([])
  })
})
