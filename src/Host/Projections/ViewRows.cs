using System.Data.Common;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;
using StateNames = ControlPlane.Actors.StateNames;

namespace ControlPlane.Host.Projections;

/// <summary>Views as rows of the table <c>entities</c>.</summary>
static class ViewRows
{
    public const string Columns = "id, revision, sequence, created, updated, state_name, state, notes";

    public static EntityView Read(DbDataReader reader)
    {
        var id = EntityId.Parse(reader.GetString(0)) ?? throw new InvalidDataException($"{reader.GetString(0)} is no entity id");
        return new EntityView(
            id, reader.GetInt64(2), reader.GetInt64(1), reader.Time(3), reader.Time(4),
            StateNames.Decode(id, reader.GetString(5), reader.Bytes(6)), ViewNotes.Decode(reader.Bytes(7)));
    }

    public static EntityView? Find(DbConnection connection, EntityId id) =>
        connection.Query($"SELECT {Columns} FROM entities WHERE id = @id", ("@id", id.Text)).First(Read);

    public static void Write(DbCommand command, EntityView view, long ordering)
    {
        var values = command.Parameters;
        values["@id"].Value = view.Id.Text;
        values["@kind"].Value = view.Id.Kind;
        values["@host"].Value = (object?)view.Host ?? DBNull.Value;
        values["@switch"].Value = (object?)view.Switch?.Text ?? DBNull.Value;
        values["@revision"].Value = view.Revision;
        values["@sequence"].Value = view.Sequence;
        values["@ordering"].Value = ordering;
        values["@created"].Value = view.Created.UtcTicks;
        values["@updated"].Value = view.Updated.UtcTicks;
        values["@gone"].Value = view.Gone ? 1L : 0L;
        values["@drifted"].Value = view.Drifted ? 1L : 0L;
        values["@open_work"].Value = view.HasOpenWork ? 1L : 0L;
        values["@state_name"].Value = StateNames.Of(view.Id);
        values["@state"].Value = StateNames.Encode(view.Id, view.State);
        values["@notes"].Value = view.Notes.Encode();
        command.ExecuteNonQuery();
    }
}
