import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/cluster/**', 'node_modules/**'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'test-results/unit.json' }]]
      : ['default'],
    pool: 'forks',
    // Files of one worker share their modules: 90 s of CPU for the whole suite instead of 158.
    isolate: false,
    maxWorkers: 2,
  },
})
