using System.Collections.Immutable;
using System.Text;
using Akka.Serialization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Cluster;

[Collection(RefusalsCollection.Name)]
public sealed class SerializerTests : IAsyncLifetime
{
    static readonly EntityId Id = EntityId.Vm("web-1");

    EngineRig _engine = null!;

    Serialization Serialization => _engine.System.Serialization;

    public async Task InitializeAsync() => _engine = await EngineRig.Start();

    public async Task DisposeAsync() => await _engine.DisposeAsync();

    static StoredEvent Row() => StoredEvent.Make(
        Id, 7, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(1), "operator:ann", "vm/web-1#6", "corr", "op", "msg", "hash",
        [StoredAnswer.Of("msg", new Done(), null), StoredAnswer.Of("other", null, new Refusal(RefusalKind.Conflict, "c", "ümlaut \" <x>"))],
        new VmDefined(new VmDefinition("hv01", [])), StoredEvent.NoHash);

    object RoundTrip(object word, out string manifest)
    {
        var serializer = Assert.IsAssignableFrom<SerializerWithStringManifest>(Serialization.FindSerializerFor(word));
        manifest = serializer.Manifest(word);
        return Serialization.Deserialize(serializer.ToBinary(word), serializer.Identifier, manifest);
    }

    [Fact]
    public void Row_comes_back_with_the_bytes_that_were_hashed()
    {
        var row = Row();
        var back = Assert.IsType<StoredEvent>(RoundTrip(row, out var manifest));
        Assert.Equal("VmDefined.1", manifest);
        Assert.True(back.HashHolds());
        Assert.Equal(row.Body.ToArray(), back.Body.ToArray());
        Assert.Equal(row.Answers.Select(answer => Encoding.UTF8.GetString(answer.Payload.Span)), back.Answers.Select(answer => Encoding.UTF8.GetString(answer.Payload.Span)));
        Assert.Equal((row.At, row.Cause, row.OperationId, row.MessageId, row.BodyHash), (back.At, back.Cause, back.OperationId, back.MessageId, back.BodyHash));
    }

    [Fact]
    public void Bare_row_comes_back()
    {
        var row = StoredEvent.Make(Id, 1, DateTimeOffset.UnixEpoch, "system", null, "c", null, null, null, [], new VmDeleted(), StoredEvent.NoHash);
        Assert.True(Assert.IsType<StoredEvent>(RoundTrip(row, out _)).HashHolds());
    }

    [Fact]
    public void Any_flipped_bit_of_a_row_is_noticed()
    {
        var serializer = (SerializerWithStringManifest)Serialization.FindSerializerFor(Row());
        var bytes = serializer.ToBinary(Row());
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                var read = (StoredEvent)serializer.FromBinary(damaged, "VmDefined.1");
                Assert.False(read.HashHolds() && read.PreviousHash.Span.SequenceEqual(StoredEvent.NoHash.Span), $"bit {bit}: {Encoding.UTF8.GetString(damaged)}");
            }
            catch (CorruptHistoryException)
            {
            }
        }
    }

    [Fact]
    public void Event_of_a_newer_release_is_named()
    {
        var serializer = (SerializerWithStringManifest)Serialization.FindSerializerFor(Row());
        Assert.Contains("VmPainted.1", Assert.Throws<UnknownWordException>(() => serializer.FromBinary("{}"u8.ToArray(), "VmPainted.1")).Message);
    }

    [Fact]
    public void Snapshot_comes_back_and_what_cannot_be_read_is_unreadable()
    {
        var core = EntityKinds.NewCore(Id);
        var snapshot = new CoreSnapshot(
            Id, 9, 4, StoredEvent.NoHash, ControlPlane.Actors.Vms.VmLifecycle.Initial(Id),
            [new Executed("m1", null, StoredAnswer.Of("m1", new Done(), null), "operator:ann", "c1"), new Executed("m2", "h", null, "operator:ann", "c2")],
            [ulong.MaxValue, 7],
            ImmutableSortedDictionary<string, Origin>.Empty.Add("ask:1", new Origin("who", "corr", "cause")), new Poison("m3", "boom"));
        var back = Assert.IsType<CoreSnapshot>(RoundTrip(snapshot, out var manifest));
        Assert.Equal("snapshot/VmState.2", manifest);
        Assert.Equal(snapshot.State, back.State);
        Assert.Equal((9, 4, snapshot.Poison), (back.Sequence, back.Revision, back.Poison));
        Assert.Equal(snapshot.Origins, back.Origins);
        Assert.Equal(snapshot.Forgotten.AsEnumerable(), back.Forgotten);
        Assert.Equal(["m1", "m2"], back.Executed.Select(executed => executed.MessageId));
        Assert.Equal(new Done(), back.Executed[0].Answer!.Reply);
        core.Step(new Input.Restore(back), DateTimeOffset.UnixEpoch);
        Assert.Equal(9, core.Sequence);

        var serializer = (SerializerWithStringManifest)Serialization.FindSerializerFor(snapshot);
        Assert.IsType<UnreadableSnapshot>(serializer.FromBinary(serializer.ToBinary(snapshot), "snapshot/VmState.9"));
        Assert.IsType<UnreadableSnapshot>(serializer.FromBinary("{\"entity\":\"vm/web-1\"}"u8.ToArray(), manifest));
        Assert.IsType<UnreadableSnapshot>(serializer.FromBinary([1, 2, 3], manifest));
    }

    [Fact]
    public void What_goes_between_nodes_comes_back()
    {
        var envelope = new Envelope(Id, "m", "w", "c", new DefineVm(new VmDefinition("hv01", [])), "cause", "op", "hash", DateTimeOffset.UnixEpoch, Id, 3, true);
        Assert.Equal(StoredNames.Encode(envelope), StoredNames.Encode(RoundTrip(envelope, out _)));
        var answer = new Answer("m", Id, Id, 1, 2, new OperationRuns("op"), null) { WouldStore = ["VmDefined"] };
        Assert.Equal(StoredNames.Encode(answer), StoredNames.Encode(RoundTrip(answer, out _)));
        Assert.Equal(new Wake(Id), RoundTrip(new Wake(Id), out _));
    }

    [Fact]
    public void What_has_no_stored_name_is_refused_by_name()
    {
        var serializer = Serialization.FindSerializerFor(new NoWord());
        Assert.Contains(nameof(NoWord), Assert.Throws<NotSupportedException>(() => serializer.ToBinary(new NoWord())).Message);
    }

    sealed class NoWord;
}
