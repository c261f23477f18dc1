/**
 * `npm run bench`: CPU per request of Ostiary, of a bare forwarder and of the peers that are found.
 * `npm run bench -- control-plane`: how start and changes scale with the number of Ingresses.
 * `npm run bench -- steadiness`: what must not change the cost of a request: routes, threads, time, idle connections.
 * Each has its own flags.
 */
const [plane] = process.argv.slice(2)
if (plane === 'control-plane') await import('./control-plane.ts')
else if (plane === 'steadiness') await import('./steadiness.ts')
else await import('./data-plane.ts')
process.exit()
