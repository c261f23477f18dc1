import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'test-results/cluster.json' }]]
      : ['default'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
  },
})
