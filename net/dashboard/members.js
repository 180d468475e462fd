// The sites of the space: inviting one, what each may do, retiring one, and whom this one calls.

import {call, get, post, query} from './client.js';
import {busy, button, confirmed, copyText, dialog, failed, h, icon, loading, notice, toast}
    from './dom.js';
import {qrImage} from './qr.js';
import {compare, look, refreshMembers, sites, state, subscribe} from './state.js';
import {ago, bytes, fullTime, kRoles, names, plural, time} from './words.js';

const kInviteRoles = ['writer', 'reader', 'admin'];
const kTimes = [[3600, 'one hour'], [86400, 'one day'], [604800, 'one week']];

// ---- inviting ----------------------------------------------------------------------------------

function codeView(invite, close) {
    return [h('p', {}, 'On the new machine, install the program and run this. The code works once, ' +
                       `until ${fullTime(invite.expires)}.`),
            h('div', {class: 'code-box'},
              h('code', {class: 'code', id: 'invite-code', tabindex: '0'}, invite.code)),
            h('div', {class: 'row'},
              button('Copy the code', () => copyText(invite.code), 'primary'),
              button('Copy the whole command', () => copyText(
                  `inos join ${invite.code} --data ./site --site NAME`))),
            h('div', {class: 'qr'}, qrImage(invite.code, 'The invitation code')),
            h('p', {class: 'soft small'}, 'Show this only to the person who sets the site up: ' +
                                          'whoever has the code can join in your name. It is not ' +
                                          'shown again.'),
            h('div', {class: 'row end'}, button('Done', () => close(true)))];
}

async function invite(again) {
    const role = h('select', {id: 'invite-role'}, kInviteRoles.map((name) =>
        h('option', {value: name}, `${kRoles[name][0]}: ${kRoles[name][1]}`)));
    const ttl = h('select', {id: 'invite-ttl'}, kTimes.map(([value, text]) =>
        h('option', {value}, text)));
    const at = h('input', {id: 'invite-at', placeholder: 'ws://192.168.1.20:7711',
                           autocomplete: 'off', spellcheck: 'false'});
    const error = h('p', {class: 'error', role: 'alert', hidden: true});
    const made = await dialog('Invite a site', (close) => {
        const submit = h('button', {type: 'submit', class: 'button primary'}, 'Make a code');
        const make = async () => {
            error.hidden = true;
            try {
                close(await post('/v1/invites', {role: role.value, ttl_s: Number(ttl.value),
                    ...(at.value.trim() && {at: at.value.trim().split(/[\s,]+/)})}));
            } catch (problem) {
                error.textContent = problem.message;
                error.hidden = false;
            }
        };
        return h('form', {onsubmit: (event) => {
            event.preventDefault();
            busy(submit, make);
        }},
            h('label', {class: 'field', for: 'invite-role'},
              h('span', {class: 'label'}, 'What the new site may do'), role),
            h('label', {class: 'field', for: 'invite-ttl'},
              h('span', {class: 'label'}, 'The code is good for'), ttl),
            h('details', {}, h('summary', {}, 'Another address of this site'),
              h('label', {class: 'field', for: 'invite-at'},
                h('span', {class: 'label'}, 'Where the new site reaches this one'), at,
                h('span', {class: 'help'}, 'Leave it empty unless the new site is in another ' +
                                           'network.'))),
            error, h('div', {class: 'row end'}, button('Cancel', () => close(null)), submit));
    });
    if (!made) return;
    again();
    await dialog('Invitation', (close) => codeView(made, close));
    again();
}

function invitations(list, again) {
    if (!list.length) return '';
    return h('section', {class: 'card', 'aria-labelledby': 'open-title'},
             h('h2', {id: 'open-title'}, 'Open invitations'),
             h('ul', {class: 'plain-list'}, list.map((one) => h('li', {class: 'row between'},
                 h('span', {}, kRoles[one.role][0], h('span', {class: 'soft'},
                   `, good until ${time(one.expires)}`,
                   one.failures ? `, ${plural(one.failures, 'failed attempt')}` : '')),
                 button('Withdraw', (event) => busy(event.currentTarget, async () => {
                     await call('DELETE', '/v1/invites' + query({id: one.id}));
                     toast('That code can be used no more.');
                     again();
                 }), 'small', {'aria-label': `Withdraw the invitation good until ` +
                                             `${time(one.expires)}`})))));
}

// ---- members -----------------------------------------------------------------------------------

async function changeRole(member, again) {
    const role = h('select', {id: 'role'}, kInviteRoles.map((name) =>
        h('option', {value: name, selected: name === member.role},
          `${kRoles[name][0]}: ${kRoles[name][1]}`)));
    const only = h('input', {id: 'scope', value: member.scope.join(', '), autocomplete: 'off'});
    const chosen = await dialog(`What ${member.name} may do`, (close) => [
        h('label', {class: 'field', for: 'role'}, h('span', {class: 'label'}, 'Role'), role),
        h('label', {class: 'field', for: 'scope'},
          h('span', {class: 'label'}, 'Only these collections'), only,
          h('span', {class: 'help'}, 'With commas between them; empty: all. Counts for sites that ' +
                                     'write.')),
        h('div', {class: 'row end'}, button('Cancel', () => close(null)),
          button('Change it', () => close(true), 'primary'))]);
    if (!chosen) return;
    const write = role.value === 'writer'
        ? only.value.split(',').map((name) => name.trim()).filter(Boolean) : [];
    await post('/v1/members', {site: member.site, role: role.value,
                               ...(write.length && {write})});
    toast(`${member.name}: ${kRoles[role.value][0]}.`);
    again();
}

async function retire(member, again) {
    const sure = await confirmed(`Retire ${member.name} for good?`,
        [`All other sites stop exchanging with ${member.name} as soon as they hear of it. What it ` +
         'wrote and others have stays. What only it has stays on its disk.',
         'This cannot be taken back. The machine can join again later, as a new site, with a new ' +
         'invitation.',
         'Do this when a machine is lost, stolen, sold or shut down for ever; not when it is only ' +
         'switched off.'], 'Retire it', {danger: true, type: member.name});
    if (!sure) return;
    await call('DELETE', '/v1/members' + query({site: member.site}));
    toast(`${member.name} is no member any more.`);
    again();
}

function actions(member, admin, again) {
    if (!admin || member.self) return '';
    const run = (work) => (event) => busy(event.currentTarget, () => work(member, again));
    return h('div', {class: 'row tight'},
             button('Change…', run(changeRole), 'small',
                    {'aria-label': `Change… what ${member.name} may do`}),
             button('Retire…', run(retire), 'small danger-text',
                    {'aria-label': `Retire… ${member.name}`}));
}

function memberRow(site, admin, again) {
    const {member} = site;
    const role = kRoles[member.role] || [member.role, ''];
    return h('tr', {}, h('th', {scope: 'row'}, h('span', {class: `dot ${site.kind}`}), member.name,
                         site.self ? h('span', {class: 'tag'}, 'this site') : ''),
             h('td', {'data-label': 'May'}, role[0],
               member.scope.length ? h('span', {class: 'soft'}, ` · only ${names(member.scope)}`)
                   : ''),
             h('td', {'data-label': 'State'}, site.self ? 'running' : site.words,
               site.detail ? h('span', {class: 'soft'}, ` · ${site.detail}`) : ''),
             h('td', {'data-label': 'Has confirmed'}, site.self ? '–' : !member.missing ? 'everything'
                 : `all but the last ${plural(member.missing, 'change')}`),
             h('td', {class: 'actions'}, actions(member, admin, again)));
}

function gone(list) {
    if (!list.length) return '';
    return h('section', {class: 'card', 'aria-labelledby': 'gone-title'},
             h('h2', {id: 'gone-title'}, 'No longer members'),
             h('ul', {class: 'plain-list'}, list.map((member) => h('li', {},
                 h('strong', {}, member.name), member.state === 'retired'
                     ? `, retired ${member.retired ? ago(member.retired) : ''} by ` +
                       `${member.retired_by || 'an administrator'}`
                     : ', admitted by a site that was retired at the same time',
                 member.heir_waits_for && member.heir_waits_for.length
                     ? h('p', {class: 'soft small'}, 'Its share of the stock is passed on when ' +
                         `${names(member.heir_waits_for)} have been heard of.`) : ''))));
}

function lines(peers, again) {
    const url = h('input', {id: 'peer-url', type: 'text', placeholder: 'ws://192.168.1.20:7711',
                            required: true, autocomplete: 'off', spellcheck: 'false'});
    const error = h('p', {class: 'error', role: 'alert', hidden: true});
    const submit = h('button', {type: 'submit', class: 'button'}, 'Connect');
    const add = async () => {
        error.hidden = true;
        try {
            await post('/v1/peers', {url: url.value.trim()});
            url.value = '';
            again();
        } catch (problem) {
            error.textContent = problem.message;
            error.hidden = false;
        }
    };
    const words = {connected: 'connected', connecting: 'calling', waiting: 'tries again soon',
                   listening: 'calls us'};
    const hangUp = (peer) => async (event) => busy(event.currentTarget, async () => {
        const sure = await confirmed('Stop calling this address?',
            [`This site will not call ${peer.url} any more. The other one may still call this one.`],
            'Stop calling');
        if (!sure) return;
        await call('DELETE', '/v1/peers' + query({url: peer.url}));
        again();
    });
    return h('section', {class: 'card', 'aria-labelledby': 'lines-title'},
             h('h2', {id: 'lines-title'}, 'Lines of this site'),
             peers.length ? h('ul', {class: 'plain-list'}, peers.map((peer) =>
                 h('li', {class: 'row between'}, h('span', {},
                     h('strong', {}, peer.name || peer.url || 'unknown'), ', ',
                     words[peer.state] || peer.state,
                     h('span', {class: 'soft'}, peer.url ? ` · ${peer.url}` : ' · it calls us',
                       peer.state === 'connected'
                           ? ` · ${bytes(peer.bytes_in)} in, ${bytes(peer.bytes_out)} out` : ''),
                     peer.state !== 'connected' && peer.last_error
                         ? h('p', {class: 'soft small'}, peer.last_error) : ''),
                   peer.url ? button('Stop calling…', hangUp(peer), 'small',
                                     {'aria-label': `Stop calling… ${peer.url}`}) : '')))
                 : h('p', {class: 'soft'}, 'No line to another site yet.'),
             h('details', {}, h('summary', {}, 'Call another address'),
               h('form', {class: 'row', onsubmit: (event) => {
                   event.preventDefault();
                   busy(submit, add);
               }}, h('label', {class: 'field grow', for: 'peer-url'},
                     h('span', {class: 'label'}, 'Address of a site of this space'), url), submit),
               error));
}

export function sitesPage(root, path, {on}) {
    const box = h('div', {}, loading());
    const inviteButton = h('button', {type: 'button', class: 'button primary'}, icon('plus'),
                           'Invite a site');
    root.append(h('div', {class: 'page-head'}, h('h1', {}, 'Sites'), inviteButton), box);
    let invites = [], last = '';
    const again = async () => {
        await Promise.all([look(), refreshMembers(),
                           get('/v1/invites').then((list) => {
                               invites = list;
                           })]).catch((error) => toast(error.message, 'bad'));
        compare();
        draw(true);
    };
    const draw = (force) => {
        if (!state.status) {
            if (state.problem) box.replaceChildren(failed(state.problem, again));
            return;
        }
        const all = sites(state);
        const self = state.members.find((member) => member.self);
        const admin = Boolean(self && self.role === 'admin' && self.state === 'member');
        inviteButton.hidden = !admin;
        const past = state.members.filter((member) => member.state !== 'member');
        const peers = state.status.peers;
        const key = JSON.stringify([all.map((s) => [s.name, s.kind, s.words, s.detail, s.role,
                                                    s.member.missing, s.member.scope]),
                                    past, peers.map((p) => [p.name, p.state, p.url, p.last_error]),
                                    invites, admin]);
        if (!force && key === last) return;
        // Nobody's typing is taken away by news.
        if (!force && box.contains(document.activeElement) &&
            document.activeElement.tagName === 'INPUT') return;
        last = key;
        box.replaceChildren(...[
            !admin && notice('info', 'This site is no administrator', 'Invite sites, change what ' +
                             'they may do and retire them at a site that is one: ' +
                             `${names(all.filter((s) => s.role === 'admin').map((s) => s.name))}.`),
            h('section', {class: 'card flush'}, h('table', {class: 'table stack'},
                h('caption', {class: 'hidden'}, 'Sites of this space'),
                h('thead', {}, h('tr', {}, ['Site', 'May', 'State', 'Has confirmed'].map((text) =>
                    h('th', {scope: 'col'}, text)), h('td', {}))),
                h('tbody', {}, all.map((site) => memberRow(site, admin, again))))),
            invitations(invites, again), lines(peers, again), gone(past)].filter(Boolean));
    };
    inviteButton.addEventListener('click', (event) => busy(event.currentTarget,
                                                           () => invite(again)));
    on(subscribe(() => draw(false)));
    again();
}
