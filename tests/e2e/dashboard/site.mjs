// Nodes for the browser test: real processes, as lib.sh starts them for other tests.

import {execFile, spawn} from 'node:child_process';
import {existsSync, openSync, readFileSync, rmSync} from 'node:fs';
import {promisify} from 'node:util';

const run = promisify(execFile);

export class Failed extends Error {}

export async function until(seconds, what, condition) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const answer = await condition();
        if (answer) return answer;
        if (Date.now() > end) throw new Failed(`no ${what} within ${seconds} s`);
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

export class Site {
    static all = [];

    constructor(program, work, name) {
        Object.assign(this, {program, name, dir: `${work}/${name}`, child: null});
        Site.all.push(this);
    }

    async inos(...args) {
        const {stdout} = await run(this.program, [...args, '--data', this.dir], {timeout: 60000});
        return stdout.trim();
    }

    // The first time on ports that the kernel chooses, from then on where it was.
    async start() {
        const {api, listen} = this.at || {api: '127.0.0.1:0', listen: '127.0.0.1:0'};
        rmSync(`${this.dir}/run.json`, {force: true});
        const log = openSync(`${this.dir}.log`, 'a');
        this.child = spawn(this.program, ['run', '--data', this.dir, '--listen', listen,
                                          '--api', api],
                           {stdio: ['ignore', 'ignore', log]});
        await until(60, `answer of the node of ${this.name}`, async () => {
            if (this.child.exitCode !== null) throw new Failed(`the node of ${this.name} has ended`);
            if (!existsSync(`${this.dir}/run.json`)) return false;
            return (await this.inos('status', '--json').catch(() => '')).includes('"running":true');
        });
        const running = JSON.parse(readFileSync(`${this.dir}/run.json`, 'utf8'));
        this.base = running.api;
        this.at = {api: new URL(running.api).host, listen: new URL(running.listen).host};
    }

    async stop() {
        const child = this.child;
        this.child = null;
        if (!child) return;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
    }

    get token() {
        return readFileSync(`${this.dir}/api.token`, 'utf8').trim();
    }

    async fields(collection, id) {
        return JSON.parse(await this.inos('get', collection, id, '--json')).fields;
    }
}

export async function endAll() {
    for (const site of Site.all) if (site.child) site.child.kill('SIGKILL');
}
