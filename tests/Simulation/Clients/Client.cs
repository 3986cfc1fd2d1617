using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>One request of a client and what became of it.</summary>
/// <param name="SentAt">When it was sent first.</param>
sealed record Request(Envelope Envelope, TimeSpan SentAt)
{
    /// <summary>When its definite answer came; null: not yet.</summary>
    public TimeSpan? AnsweredAt { get; set; }

    public Answer? Answer { get; set; }

    public int Tries { get; set; }
}

/// <summary>What it means that a client wants nothing now.</summary>
enum Wantless
{
    /// <summary>It is done.</summary>
    Ends,
    /// <summary>One of its turns went by.</summary>
    Passes,
    /// <summary>It looks again in a second, to the end of the run, and is done as long as it looks.</summary>
    Waits,
}

/// <summary>
/// Somebody outside who wants things: one request after the other, each under a key of its own, sent again under the same
/// key until there is a definite answer.
/// </summary>
/// <param name="max">Its turns.</param>
sealed class Client(World world, string name, int max, Func<Client, (EntityId To, Command Body)?> next, Wantless wantless = Wantless.Ends)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    readonly Process _process = new(world.Simulator, name);
    int _count;

    public string Name => name;

    public List<Request> History { get; } = [];

    /// <summary>References that it took, given back or not.</summary>
    public IReadOnlyList<string> Holds => [.. History.Where(request => request.Answer?.Reply is HoldTaken).Select(request => ((TakeHoldAt)request.Envelope.Body).HoldId)];

    /// <summary>It asks for nothing new.</summary>
    public bool Done { get; private set; }

    public void Begin() => _process.Run(async () =>
    {
        for (var turn = 0; turn < max; turn++)
        {
            if (next(this) is { } wanted)
            {
                Done = false;
                await Task.Delay(Pause, _process.Clock);
                await Ask(wanted.To, wanted.Body);
            }
            else if (wantless == Wantless.Waits)
            {
                Done = true;
                await Task.Delay(TimeSpan.FromSeconds(1), _process.Clock);
            }
            else if (wantless == Wantless.Passes)
            {
                await Task.Delay(Pause, _process.Clock);
            }
            else
            {
                break;
            }
        }
        Done = true;
    });

    TimeSpan Pause => world.Simulator.Luck.Between(name + ".pause", TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(3));

    async Task Ask(EntityId to, Command body)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{name}-{++_count}");
        var starts = body is StartVm or StopVm or AddNic or RemoveNic or DefineVm;
        var request = new Request(new Envelope(to, id, $"operator:{name}", id, body, OperationId: starts ? "op-" + id : null), world.Simulator.Elapsed);
        History.Add(request);
        world.Say($"{name}: {body} to {to}, {id}");
        while (true)
        {
            request.Tries++;
            var living = world.Nodes.Where(node => node.Process.Alive).ToList();
            if (living.Count > 0)
            {
                var node = world.Simulator.Luck.Pick(name + ".node", living);
                var answer = await world.Ask(node, _process, request.Envelope, Patience, CancellationToken.None);
                world.Check.Answered(request.Envelope, answer);
                if (answer.Refusal is not ({ Transient: true } or { Kind: RefusalKind.Expired }))
                {
                    (request.Answer, request.AnsweredAt) = (answer, world.Simulator.Elapsed);
                    world.Say($"{name}: {id} is answered {(answer.Refusal is { } refusal ? refusal.Code : answer.Reply?.GetType().Name)}");
                    return;
                }
            }
            await Task.Delay(TimeSpan.FromMilliseconds(300), _process.Clock);
        }
    }
}
