import { systemClock } from '../../src/clock.ts'
import { AccessLog } from '../../src/observability/access-log.ts'
import { AuditLog } from '../../src/observability/audit-log.ts'

/** Access log and audit log of a test, as they would be written. */
export class WrittenLogs {
  text = ''
  readonly #write = (line: string): void => void (this.text += line)
  readonly recorder = new AccessLog({ enabled: true, sample: 1, format: 'json' }, this.#write)
  readonly audit = new AuditLog('json', () => systemClock.now(), this.#write)

  lines(log: 'access' | 'audit'): readonly Readonly<Record<string, unknown>>[] {
    return this.text
      .split('\n')
      .filter((line) => line.includes(`"log":"${log}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}
