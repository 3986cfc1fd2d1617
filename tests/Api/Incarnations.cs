using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;
using ControlPlane.Actors.Shell;

namespace ControlPlane.Api.Tests;

/// <summary>
/// Counts how often entities ended because they could not write or could not be read: each incarnation says so once, as
/// a warning or an error.
/// </summary>
sealed class Incarnations
{
    readonly ConcurrentDictionary<string, int> _ended = new(StringComparer.Ordinal);

    public Incarnations(ActorSystem system)
    {
        var inbox = system.ActorOf(Props.Create(() => new Inbox(Note)));
        system.EventStream.Subscribe(inbox, typeof(Warning));
        system.EventStream.Subscribe(inbox, typeof(Error));
    }

    /// <summary>All of them together.</summary>
    public int Ended => _ended.Values.Sum();

    /// <summary>Those of the entity that ended most often.</summary>
    public int OfOneEntity => _ended.Values.DefaultIfEmpty().Max();

    void Note(LogEvent said)
    {
        if (said.LogClass == typeof(EntityActor))
        {
            _ended.AddOrUpdate(said.LogSource, 1, (_, count) => count + 1);
        }
    }

    sealed class Inbox : ReceiveActor
    {
        public Inbox(Action<LogEvent> note) => Receive(note);
    }
}
