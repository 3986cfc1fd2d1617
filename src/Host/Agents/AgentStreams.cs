using ControlPlane.Messages;

namespace ControlPlane.Host.Agents;

/// <summary>What the node's health says of its agents.</summary>
/// <param name="CommandsDropped">No stream of that session here, or its queue was full; the bridge repeats them.</param>
/// <param name="Superseded">Streams ended by a newer session of their host.</param>
/// <param name="Refused">Streams that got no session.</param>
sealed record AgentStreamsHealth(int Open, long CommandsHanded, long CommandsDropped, long Superseded, long Refused);

/// <summary>The agents' streams on this node, by host.</summary>
sealed class AgentStreams(AgentGatewayOptions options)
{
    readonly Lock _sync = new();
    readonly Dictionary<string, List<AgentStream>> _byHost = new(StringComparer.Ordinal);
    int _open;
    long _handed;
    long _dropped;
    long _superseded;
    long _refused;

    public AgentStreamsHealth Health
    {
        get
        {
            lock (_sync)
            {
                return new AgentStreamsHealth(_open, _handed, _dropped, _superseded, _refused);
            }
        }
    }

    /// <summary>Null: the node has as many as it takes.</summary>
    public AgentStream? Begin(string host)
    {
        lock (_sync)
        {
            if (_open >= options.StreamsMax)
            {
                return null;
            }
            var stream = new AgentStream(host, options.OutgoingMax);
            if (!_byHost.TryGetValue(host, out var streams))
            {
                _byHost[host] = streams = [];
            }
            streams.Add(stream);
            _open++;
            return stream;
        }
    }

    /// <summary>The session has its number: the host's older ones end. False: a newer one was there first.</summary>
    public bool Opened(AgentStream stream, long session)
    {
        lock (_sync)
        {
            stream.Session = session;
            var others = _byHost[stream.Host].Where(other => other != stream && other.Session > 0).ToList();
            Supersede(others, session);
            return others.TrueForAll(other => other.Session < session);
        }
    }

    public void Remove(AgentStream stream)
    {
        lock (_sync)
        {
            _open--;
            _refused += stream.Session == 0 ? 1 : 0;
            var streams = _byHost[stream.Host];
            streams.Remove(stream);
            if (streams.Count == 0)
            {
                _byHost.Remove(stream.Host);
            }
        }
    }

    /// <summary>
    /// False: not here, or its queue is full. A command of a session that is newer than the host's streams here ends them: a
    /// hello that was overtaken may have opened it, and its agent would wait for commands that nobody can hand to it.
    /// </summary>
    public bool Hand(string host, long session, DriverCommand command)
    {
        lock (_sync)
        {
            var streams = _byHost.GetValueOrDefault(host);
            var stream = streams?.Find(stream => stream.Session == session) ?? streams?.FindLast(stream => stream.Session == 0);
            if (stream is null)
            {
                Supersede(streams ?? [], session);
            }
            var handed = stream is not null && stream.TryHand(session, command);
            _handed += handed ? 1 : 0;
            _dropped += handed ? 0 : 1;
            return handed;
        }
    }

    void Supersede(IEnumerable<AgentStream> streams, long session)
    {
        foreach (var older in streams.Where(stream => stream.Session > 0 && stream.Session < session))
        {
            _superseded++;
            older.OverAtBridge = true;
            older.End($"session {session} is newer than {older.Session}", TimeSpan.FromSeconds(1));
        }
    }

    public void CountRefused()
    {
        lock (_sync)
        {
            _refused++;
        }
    }
}
