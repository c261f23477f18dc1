import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { requirement } from '../support/requirements.ts'
import type { RunningExample } from './example.ts'

const EXECUTABLE = process.env['OSTIARY_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Whether there is no browser on this machine. */
export const noChromium = requirement(
  'Chromium',
  existsSync(EXECUTABLE),
  `install it, or name it by OSTIARY_TEST_CHROMIUM; looked at ${EXECUTABLE}`,
)

/** Opens a browser that finds `https://<host>` at the example's Ostiary; gone when the test is. */
export async function openBrowser({ httpsPort }: RunningExample, host: string): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: [...FLAGS, `--host-resolver-rules=MAP ${host}:443 127.0.0.1:${httpsPort}`],
  })
  onTestFinished(() => browser.close())
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  return context.newPage()
}

/** Fills in the embedded authorization server's form, and waits until the browser is at this address. */
export async function signInAs(page: Page, login: string, landing: string | RegExp): Promise<void> {
  await page.getByLabel('User name').fill(login)
  await page.getByLabel('Password').fill('anything')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(landing)
}

/** What the echo upstream says of the request, or the text of any other page. */
export function textOf(page: Page): Promise<string> {
  return page.locator('body').innerText()
}
