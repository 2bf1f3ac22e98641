// Drives a real Chromium over its debugging pipe: nothing is installed for it, nothing listens.
"use strict";
const { spawn } = require("child_process");
const path = require("path");

class Browser {
  static async start(directory) {
    const browser = new Browser();
    const flags = ["--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
      "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
      "--user-data-dir=" + path.join(directory, "profile")];
    if (process.getuid() === 0) flags.push("--no-sandbox");
    browser.process = spawn("chromium", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    browser.process.on("exit", () => browser.fail(new Error("chromium ended")));
    browser.process.on("error", (error) => browser.fail(error));
    browser.waiting = new Map();
    browser.listeners = new Map();
    browser.last = 0;
    let rest = "";
    browser.process.stdio[4].setEncoding("utf8").on("data", (text) => {
      const parts = (rest + text).split("\0");
      rest = parts.pop();
      for (const part of parts) browser.take(JSON.parse(part));
    });
    return browser;
  }

  fail(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  take(message) {
    if (message.id) {
      const { resolve, reject } = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      return message.error ? reject(new Error(JSON.stringify(message.error))) : resolve(message.result);
    }
    for (const listener of this.listeners.get(message.method) || []) listener(message.params);
  }

  call(method, params = {}, sessionId = undefined) {
    const id = ++this.last;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  on(method, listener) {
    this.listeners.set(method, [...(this.listeners.get(method) || []), listener]);
  }

  once(method) {
    return new Promise((resolve) => {
      const listener = (params) => {
        this.listeners.set(method, this.listeners.get(method).filter((one) => one !== listener));
        resolve(params);
      };
      this.on(method, listener);
    });
  }

  async tab() {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const tab = (method, params) => this.call(method, params, sessionId);
    await tab("Page.enable");
    await tab("Network.enable");
    await tab("Emulation.setDeviceMetricsOverride",
      { width: 1000, height: 1400, deviceScaleFactor: 1, mobile: false });
    return tab;
  }

  stop() {
    this.process.removeAllListeners("exit");
    this.process.kill();
  }
}

module.exports = { Browser };
