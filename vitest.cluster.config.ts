import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** By name: the chart's test comes first, so that in a new cluster it is Helm that installs the CRDs. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
  }
}

export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    globalSetup: ['test/cluster-setup/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'test-results/cluster.json' }]]
      : ['default'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    sequence: { sequencer: ByName },
  },
})
