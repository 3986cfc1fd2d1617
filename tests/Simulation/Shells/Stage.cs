using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Simulation.Shells;

/// <summary>What becomes of a write.</summary>
enum Fate
{
    Stored = 1,
    Rejected,
    /// <summary>Of unknown outcome, and not stored.</summary>
    Lost,
    /// <summary>Of unknown outcome, and stored.</summary>
    Committed,
}

/// <summary>What is around one shell: what it said, in order, and what it can recover from.</summary>
sealed class Stage
{
    List<string> _said = [];
    List<string> _apart = [];
    TimeSpan _elapsed;
    int _writes;
    bool _atOnce;
    Func<IEnumerable<StoredEvent>, IEnumerable<StoredEvent>> _reading = rows => rows;

    /// <summary>What is stored.</summary>
    public List<StoredEvent> Rows { get; } = [];

    /// <summary>The last snapshot that was saved.</summary>
    public CoreSnapshot? Kept { get; private set; }

    /// <summary>The snapshot that the next recovery is offered, with the number that the store knows it by.</summary>
    public (object Snapshot, long Sequence)? Offered { get; private set; }

    /// <summary>The write that is under way.</summary>
    public ImmutableArray<StoredEvent>? Open { get; private set; }

    /// <summary>Questions to other entities, oldest first.</summary>
    public List<Envelope> Asked { get; } = [];

    public bool Lives { get; private set; }

    public bool Recovering { get; private set; }

    public IReadOnlyList<StoredEvent> Read(long after) => [.. _reading(Rows.Skip((int)after).Select(Simulation.Journal.AsRead))];

    /// <param name="reading">What its recovery reads in place of the rows.</param>
    public void Begin((object Snapshot, long Sequence)? offered, Func<IEnumerable<StoredEvent>, IEnumerable<StoredEvent>> reading) =>
        (Offered, _reading, Lives, Recovering) = (offered, reading, true, true);

    /// <summary>What waited for the recovery is heard at once then, maybe before the journal sees what the first of it offers.</summary>
    public void Recovers() => (Recovering, _atOnce) = (false, true);

    public void Offer(ImmutableArray<StoredEvent> rows)
    {
        var to = _atOnce ? _apart : _said;
        to.Add(Open is null ? "offers a write" : "offers a second write");
        to.AddRange(rows.Select(row => "row " + Encoding.UTF8.GetString(StoredJson.Write(row))));
        Open = rows;
        _writes++;
    }

    public void EndWrite(Fate fate)
    {
        Rows.AddRange(fate is Fate.Stored or Fate.Committed ? Open!.Value : []);
        Open = null;
    }

    /// <summary>
    /// Apart from the rest, with its place among the writes: in production it goes to an actor of its own, and nothing
    /// that is said waits for it.
    /// </summary>
    public void Save(CoreSnapshot snapshot)
    {
        Kept = snapshot;
        _apart.Add(string.Create(CultureInfo.InvariantCulture,
            $"saves after {_writes} writes: {snapshot.Sequence} {snapshot.Revision} {Convert.ToHexString(snapshot.Hash.Span)} {string.Join(',', snapshot.Executed.Select(executed => executed.MessageId))} {string.Join(',', snapshot.Origins)} {snapshot.Poison}"));
    }

    public void Respond(object asker, Answer answer) => Say($"answers {asker}: {Text(answer)}");

    public void Tell(object message)
    {
        Say($"tells {Text(message)}");
        if (message is Envelope question)
        {
            Asked.Add(question);
        }
    }

    public void Ended()
    {
        Say("has ended");
        (Lives, Open) = (false, null);
    }

    /// <summary>Time passes for both shells by the same steps; what happens in one of them is known by its end.</summary>
    public void Pass(TimeSpan time) => _elapsed += time;

    public void Say(string what) => _said.Add($"{what} ({_elapsed})");

    /// <summary>What was said since the last time.</summary>
    public IReadOnlyList<string> Heard()
    {
        List<string> heard = [.. _said, .. _apart];
        (_said, _apart, _atOnce) = ([], [], false);
        return heard;
    }

    static string Text(object word) => Encoding.UTF8.GetString(StoredNames.Encode(word));
}

/// <summary>A shell with an entity in it.</summary>
interface IShell
{
    /// <summary>A new incarnation, which asks for its history.</summary>
    void Begin((object Snapshot, long Sequence)? offered, Func<IEnumerable<StoredEvent>, IEnumerable<StoredEvent>> reading);

    /// <summary>It gets its history.</summary>
    void Recover();

    void Hear(object message, string? door);

    void EndWrite(Fate fate);

    /// <summary>Time passes, and what is due happens.</summary>
    void Pass(TimeSpan time);
}
