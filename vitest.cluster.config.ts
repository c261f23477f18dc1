import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** The chart's tests come first, so that in a new cluster it is Helm that installs the CRDs. */
class ChartFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isOfChart = ({ moduleId }: TestSpecification): boolean => /\/chart[^/]*$/.test(moduleId)
    const byName = files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
    return [...byName.filter(isOfChart), ...byName.filter((file) => !isOfChart(file))]
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
    sequence: { sequencer: ChartFirst },
  },
})
