import { pino } from 'pino'
import type { Resources } from '../../src/api/resources.ts'
import type { CompileResult } from '../../src/compiler/compile.ts'
import { Reconciler, type Reconciliation, type ReconcilerOptions } from '../../src/reconciler/reconciler.ts'
import { EMPTY_TABLE, type Snapshot } from '../../src/table/routing-table.ts'
import { ManualTimers } from '../support/manual-timers.ts'

const NOTHING: Resources = {
  ingresses: [],
  ingressClasses: [],
  services: [],
  endpointSlices: [],
  secrets: [],
  namespaces: [],
  oidcPlugins: [],
  consumers: [],
  broken: [],
}

/** A result whose table differs for every name. */
export function resultNamed(name: string, rest: Partial<CompileResult> = {}): CompileResult {
  const table = { ...EMPTY_TABLE, upstreams: { [name]: { id: name, endpoints: [] } } }
  return {
    table,
    secrets: {},
    statuses: [],
    diagnostics: [],
    ingresses: [],
    claims: new Map(),
    certificates: [],
    ...rest,
  }
}

/** A reconciler on manual time whose parts a test can replace while it runs. */
export class Bench {
  readonly timers = new ManualTimers()
  readonly published: Snapshot[] = []
  readonly outcomes: Reconciliation[] = []
  readonly logged: { readonly level: number; readonly msg: string; readonly [field: string]: unknown }[] = []
  isSynced = true
  compiles = 0
  compile: () => CompileResult = () => resultNamed('a')
  publish: (snapshot: Snapshot) => Promise<void> = async () => {}
  sessionKeys: () => readonly string[] = () => ['newest', 'oldest']
  readonly reconciler: Reconciler

  constructor(options: Partial<ReconcilerOptions> = {}) {
    const write = (line: string): void => void this.logged.push(JSON.parse(line))
    this.reconciler = new Reconciler({
      source: { current: () => NOTHING, synced: () => this.isSynced },
      compile: () => {
        this.compiles += 1
        return this.compile()
      },
      publish: async (snapshot) => {
        this.published.push(snapshot)
        await this.publish(snapshot)
      },
      sessionKeys: () => this.sessionKeys(),
      reconciled: (reconciliation) => this.outcomes.push(reconciliation),
      logger: pino({ base: null }, { write }),
      clock: this.timers,
      timers: this.timers,
      ...options,
    })
  }

  /** Moves time in steps so small that promises settle between any two timers. */
  async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5) {
      this.timers.advance(Math.min(5, ms - passed))
      await settle()
    }
    await settle()
  }

  async change(): Promise<void> {
    this.reconciler.changed()
    await this.advance(30)
  }
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
