import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { createDirectorySource } from '../../../src/source/directory/directory-source.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { ingress, temporaryDirectory } from './manifests.ts'

// A network file system raises no events at all.
vi.mock('chokidar', async () => {
  const { EventEmitter } = await import('node:events')
  return {
    watch() {
      const watcher = Object.assign(new EventEmitter(), { close: async () => {} })
      process.nextTick(() => watcher.emit('error', new Error('ENOSPC')))
      return watcher
    },
  }
})

test('where watching fails, the periodic scan finds changes', async () => {
  const root = temporaryDirectory()
  writeFileSync(path.join(root, 'a.yaml'), ingress('a'))
  const timers = new ManualTimers()
  const source = createDirectorySource({ root, logger: pino({ level: 'silent' }), timers, settleMs: 40 })
  const controller = new AbortController()
  await source.start(() => {}, controller.signal)
  const { ingresses } = source.current()

  timers.advance(20_050)
  expect(source.current().ingresses).toBe(ingresses)
  renameSync(path.join(root, 'a.yaml'), path.join(root, 'a.txt'))
  timers.advance(10_029)
  expect(source.current().ingresses).toHaveLength(1)
  timers.advance(1)
  expect(source.current().ingresses).toEqual([])

  controller.abort()
  await source.stopped()
  expect(timers.pending).toBe(0)
})
