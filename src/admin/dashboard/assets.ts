import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'
import { IMMUTABLE } from './response-headers.ts'

const TYPES = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

const OWN = ['dashboard.css', 'dashboard.js', 'charts.js', 'live.js', 'icon.svg'] as const
const CHART_LIBRARY = ['uPlot.iife.min.js', 'uPlot.min.css'] as const

export type AssetName = (typeof OWN)[number] | (typeof CHART_LIBRARY)[number]

/** The files that pages load. They are few and small, and stay in memory. */
export interface Assets {
  /** Where a page finds it: another address whenever one of them has changed, so that browsers may keep it. */
  pathOf(name: AssetName): string
  serve(server: FastifyInstance): void
}

export function readAssets(): Assets {
  const { resolve } = createRequire(import.meta.url)
  const files = [
    ...OWN.map((name) => ({ name, body: readFileSync(new URL(`./static/${name}`, import.meta.url)) })),
    ...CHART_LIBRARY.map((name) => ({ name, body: readFileSync(resolve(`uplot/dist/${name}`)) })),
  ]
  const hash = createHash('sha256')
  for (const { body } of files) hash.update(body)
  const pathOf = (name: AssetName): string => `${folder}/${name}`
  const folder = `/assets/${hash.digest('hex').slice(0, 16)}`
  return {
    pathOf,
    serve(server) {
      for (const { name, body } of files) {
        server.get(pathOf(name), (_request, reply) =>
          reply.header('cache-control', IMMUTABLE).type(typeOf(name)).send(body),
        )
      }
    },
  }
}

function typeOf(name: AssetName): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES]
}
