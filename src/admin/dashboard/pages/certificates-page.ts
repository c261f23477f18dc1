import type { CertificateSummary } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { badge } from './badge.ts'
import type { PageFrame } from './layout.ts'
import { table } from './table.ts'
import { moment, roughly } from './words.ts'

const DAY_MS = 86_400_000
const SOON_MS = 21 * DAY_MS
const VERY_SOON_MS = 3 * DAY_MS

/** The first to end first. */
export function certificatesPage(certificates: readonly CertificateSummary[], nowMs: number): PageFrame {
  const sorted = certificates.toSorted((one, other) => one.notAfterMs - other.notAfterMs)
  return {
    title: 'Certificates',
    section: '/certificates',
    main: table(
      sorted,
      [
        { name: 'Secret', cell: ({ id }) => html`<strong>${id}</strong>` },
        { name: 'State', cell: (certificate) => validity(certificate, nowMs) },
        { name: 'Server names', cell: ({ serverNames }) => list(serverNames) },
        { name: 'Subject', cell: ({ subject }) => subject },
        { name: 'Issuer', cell: ({ issuer }) => issuer },
        { name: 'Valid from', cell: ({ notBeforeMs }) => moment(notBeforeMs, nowMs) },
        { name: 'Valid until', cell: ({ notAfterMs }) => moment(notAfterMs, nowMs) },
      ],
      { label: 'Certificates', empty: 'No certificate is served: HTTPS answers with one that Ostiary made.' },
    ),
  }
}

/** Whether it can be used, and how long. */
export function validity({ notAfterMs, notBeforeMs }: CertificateSummary, nowMs: number): Html {
  const left = notAfterMs - nowMs
  if (left <= 0) return badge('bad', `ended ${roughly(left)} ago`)
  if (notBeforeMs > nowMs) return badge('bad', `not valid for another ${roughly(notBeforeMs - nowMs)}`)
  if (left < VERY_SOON_MS) return badge('bad', `ends in ${roughly(left)}`)
  if (left < SOON_MS) return badge('warn', `ends in ${roughly(left)}`)
  return badge('good', `valid for ${roughly(left)}`)
}

function list(names: readonly string[]): Html {
  return names.length === 0
    ? html`<span class="quiet">none: clients that name no host</span>`
    : html`<ul class="plain">
        ${names.map((name) => html`<li>${name}</li>`)}
      </ul>`
}
